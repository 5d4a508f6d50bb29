(() => {
  const body = document.getElementById("rows");
  const [find, which, order, shown] = ["find", "which", "order", "shown"].map((id) => document.getElementById(id));
  const rows = [...body.rows];
  // Workspace and keys; of a row they are put together at the first search.
  const texts = new Map();
  const text = (row) => {
    if (!texts.has(row)) texts.set(row, [0, 2, 3].map((n) => row.cells[n].textContent).join(" ").toLowerCase());
    return texts.get(row);
  };
  const by = {
    name: () => 0,
    worst: (a, b) => a.dataset.which.startsWith("yes") - b.dataset.which.startsWith("yes"),
    age: (a, b) => b.dataset.age - a.dataset.age,
    due: (a, b) => (a.dataset.due < b.dataset.due ? -1 : a.dataset.due > b.dataset.due ? 1 : 0),
  };
  const filter = () => {
    // Of a key's ARN the page has the id.
    const words = find.value.toLowerCase().split(/\s+/).map((word) => word.split("/").pop()).filter(Boolean);
    let number = 0;
    for (const row of rows) {
      const fits = words.every((word) => text(row).includes(word))
        && (!which.value || row.dataset.which.split(" ").includes(which.value));
      row.hidden = !fits;
      number += fits;
    }
    shown.textContent = number === rows.length ? `${rows.length} workspaces` : `${number} of ${rows.length} workspaces`;
  };
  // Always from the order of the names: sort() keeps the order of equals.
  const sort = () => body.append(...[...rows].sort(by[order.value]));
  find.addEventListener("input", filter);
  which.addEventListener("change", filter);
  order.addEventListener("change", sort);
  document.getElementById("controls").hidden = false;
  // A browser may keep what was chosen before it was asked to load the page again.
  if (find.value || which.value) filter();
  if (order.value !== "name") sort();
})();
