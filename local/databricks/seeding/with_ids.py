"""A Jupyter notebook as Databricks exports it, with every id that an import gives anew."""

import json
import uuid
from typing import Any

from local.databricks.state import ids

NOTEBOOK = "application/vnd.databricks.v1+notebook"
CELL = "application/vnd.databricks.v1+cell"


def notebook(index: int) -> str:
    """Two cells, the first with an input widget and on a dashboard, the second a query that was run."""
    cells = [_cell([f"dbutils.widgets.text('day', '{index}')"], _widget()), _cell(["%sql\n", "select 1"], {})]
    shown = cells[0]["metadata"][CELL]["nuid"]
    element = {"elementNUID": shown, "elementType": "command", "guid": "", "position": {"x": 0, "y": 0}}
    dashboard = {"elements": [element], "nuid": str(uuid.uuid4()), "origId": ids.number(16), "title": "Sales"}
    ran = {"commandId": ids.number(16), "dataframes": ["_sqldf"]}
    about = {
        "dashboards": [dashboard],
        "language": "python",
        "notebookMetadata": {"mostRecentlyExecutedCommandWithImplicitDF": ran, "pythonIndentUnit": 4},
        "notebookName": f"with-ids-{index}",
        "notebookOrigID": ids.number(16),
        "widgets": _widget(),
    }
    metadata = {NOTEBOOK: about, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 0})


def _cell(source: list[str], widgets: dict[str, Any]) -> dict[str, Any]:
    about = {"cellMetadata": {}, "inputWidgets": widgets, "nuid": str(uuid.uuid4()), "showTitle": False, "title": ""}
    return {"cell_type": "code", "execution_count": 1, "metadata": {CELL: about}, "outputs": [], "source": source}


def _widget() -> dict[str, Any]:
    info: dict[str, Any] = {"widgetType": "text", "defaultValue": "", "label": None, "name": "day", "options": {}}
    return {"day": {"currentValue": "", "nuid": str(uuid.uuid4()), "widgetInfo": info}}
