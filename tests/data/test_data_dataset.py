"""What a data set says about itself."""

from purenet.data import describe, digits, load


def test_the_description_of_a_table(tmp_path):
    path = tmp_path / "rooms.csv"
    path.write_text(
        "area,town,price\n"
        + "".join(f"{i},{('Bern', 'Chur')[i % 2]},{2.5 * i}\n" for i in range(20))
    )
    assert describe(load(path)).splitlines() == [
        "rooms.csv: regression, 3 features, 1 output",
        "20 examples: 14 for training, 2 for validation, 4 for test",
        "columns: area (number), town (text, 2 categories); target: price",
    ]


def test_the_description_of_many_columns_is_cut(tmp_path):
    path = tmp_path / "wide.csv"
    header = ",".join(f"c{i}" for i in range(30))
    path.write_text("\n".join([header, *(",".join([f"{i}.5"] * 30) for i in range(20))]))
    last = describe(load(path)).splitlines()[-1]
    assert last.endswith("c11 (number), … (29 in all); target: c29")


def test_widths():
    data = digits()
    assert data.features == data.train.x.shape[1]
    assert data.outputs == data.train.y.max() + 1
