"""What the state machine sees of a large workspace stays small."""

from rekey.model.answers import Progress


def test_the_result_does_not_grow_with_the_number_of_clusters() -> None:
    sizes = []
    for count in (20, 20_000):
        progress = Progress.waiting([f"cluster 1121-200700-{number:08} TERMINATING" for number in range(count)])
        assert progress.remaining == count
        sizes.append(len(progress.model_dump_json()))
    assert sizes[1] - sizes[0] < 10


def test_what_is_cut_is_counted() -> None:
    assert Progress.waiting([str(number) for number in range(12)]).waiting_for[-1] == "and 2 more"
    assert Progress.waiting(["a"]).waiting_for == ("a",)
