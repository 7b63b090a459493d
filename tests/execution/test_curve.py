from benchmark.execution.curve import curve, in_words
from benchmark.results.record import Epoch


def epochs(*scores: float, twin: float | None = None) -> list[Epoch]:
    return [
        Epoch(
            epoch=number,
            learning_rate=0.1,
            train_loss=4.0 / number,
            accuracy={"single": score, **({"aggregated": twin, "aggregated_probabilities": 3.0} if twin else {})},
        )
        for number, score in enumerate(scores, start=1)
    ]


def test_a_curve_rises_from_its_lower_left_to_its_upper_right() -> None:
    *rows, line, axis, legend, loss = curve(epochs(10.0, 20.0, 30.0), 3)
    assert [(number, row.index("o")) for number, row in enumerate(rows) if "o" in row] == [(0, 69), (4, 40), (8, 10)]
    assert rows[0].startswith(" 30.00 % |")
    assert rows[-1].startswith(" 10.00 % |o")
    assert axis.split() == ["epoch", "1", "3"]
    assert len(axis) == len(line) == 70
    assert legend.split() == ["o", "single", "30.00", "%"]
    assert loss.split() == ["loss", "4", "█▃▁", "1.333"]


def test_what_is_still_to_come_is_left_free() -> None:
    assert max(map(len, curve(epochs(10.0, 20.0), 100)[:9])) < 15


def test_every_printed_prediction_has_a_mark_and_the_first_is_on_top() -> None:
    lines = curve(epochs(10.0, 20.0, twin=20.0), 2)
    assert [row.count("o") + row.count("x") for row in lines[:9]] == [2, 0, 0, 0, 0, 0, 0, 0, 1]
    assert "o single 20.00 %   x aggregated 20.00 %" in lines[11]
    assert in_words(epochs(10.0, twin=20.0)[0], 6) == "epoch 1/6  loss 4  single 10.00 %  aggregated 20.00 %"


def test_it_takes_any_number_of_epochs_and_flat_ones() -> None:
    assert curve([], 3) == []
    assert len(curve(epochs(50.0), 1)) == 13
    long = curve(epochs(*[float(n % 90) for n in range(300)]), 300)
    assert max(map(len, long)) <= 70
    assert len(curve([epoch.model_copy(update={"accuracy": {}}) for epoch in epochs(1.0, 2.0)], 2)) == 13
