"""Tables: what they say, whom they crown, and the spread over seeds."""

import math

import numpy
import pytest
import torch

from course_utils.tables import Table, over_seeds


def table(scale=1.0):
    made = Table(
        {"error": "low", "from noise": "low", "probe": "high", "numbers": ""},
        title="autoencoder",
        digits={"probe": 1, "numbers": 0},
    )
    made.add("plain", error=3.456 * scale, from_noise=9, probe=90.04, numbers=1256)
    made.add("sparse", error=4, from_noise=torch.tensor(8.0), probe=91.26 * scale, numbers=20)
    return made


def test_as_text_it_is_a_markdown_table():
    assert repr(table()).splitlines() == [
        "| autoencoder | error | from noise | probe | numbers |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| plain | 3.46 | 9.00 | 90.0 | 1,256 |",
        "| sparse | 4.00 | 8.00 | 91.3 | 20 |",
    ]


def test_the_order_of_the_columns_is_the_table_s_and_not_the_row_s():
    made = Table({"b": "", "a": ""})
    made.add("one", a=1, b=2)
    assert repr(made).splitlines()[-1] == "| one | 2.00 | 1.00 |"


def test_the_best_is_the_lowest_or_the_highest():
    assert table().winner("error") == "plain"
    assert table().winner("from noise") == "sparse"
    assert table().winner("probe") == "sparse"
    assert table().column("probe") == {"plain": 90.04, "sparse": 91.26}


def test_a_row_of_the_same_name_replaces_the_first():
    made = table()
    made.add("plain", error=1, from_noise=1, probe=1, numbers=1)
    assert list(made.rows) == ["plain", "sparse"] and made.rows["plain"]["error"] == 1


def test_as_html_the_best_of_a_column_is_marked_and_only_there():
    shown = table()._repr_html_()
    assert shown.count("★") == 3  # no end of "numbers" is better
    for best in ("<b>3.46</b>&nbsp;★", "<b>8.00</b>&nbsp;★", "<b>91.3</b>&nbsp;★"):
        assert best in shown
    assert "<b>20" not in shown and "<b>1,256" not in shown
    assert shown.count("<tr>") == 3 and shown.count("<td") == 8


def test_html_is_escaped():
    made = Table({"a<b": "low"}, title="<script>")
    made.add("x & <y>", **{"a<b": 1})
    shown = made._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown
    assert "a&lt;b" in shown and "x &amp; &lt;y&gt;" in shown


def test_a_bar_in_a_name_does_not_make_a_column():
    made = Table({"p(x|z)": "high"})
    made.add("a|b", **{"p(x|z)": 1})
    lines = repr(made).splitlines()
    assert lines[0] == r"|  | p(x\|z) |" and lines[2] == r"| a\|b | 1.00 |"


def test_an_empty_table_can_be_shown():
    made = Table({"error": "low"}, title="nothing yet")
    assert "nothing yet" in made._repr_html_() and len(repr(made).splitlines()) == 2
    with pytest.raises(ValueError, match="Nothing can be best in 'error'"):
        made.winner("error")


def test_infinity_is_a_number_and_can_win():
    made = Table({"PSNR": "high"})
    made.add("copy", PSNR=math.inf)
    made.add("other", PSNR=30)
    assert made.winner("PSNR") == "copy" and "| copy | inf |" in repr(made)


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        ({"error": 1}, r"late has \['error'\]; the columns are"),
        (dict(error=1, from_noise=1, probe=1, numbers=1, more=1), "the columns are"),
        (dict(error=math.nan, from_noise=1, probe=1, numbers=1), "no number for error: it is NaN"),
    ],
)
def test_a_row_with_other_measures_is_refused(row, advice):
    made = table()
    with pytest.raises(ValueError, match=advice):
        made.add("late", **row)
    assert "late" not in made.rows


def test_best_can_be_low_high_or_neither():
    with pytest.raises(ValueError, match='error is best \'lowest\'; say "low", "high"'):
        Table({"error": "lowest"})


def test_where_neither_end_is_better_nothing_wins():
    for measure in ("numbers", "unknown"):
        with pytest.raises(ValueError, match=f"Nothing can be best in '{measure}'"):
            table().winner(measure)


# Over seeds

SCALES = (1.0, 1.1, 0.7, 1.25)


def test_over_seeds_is_mean_and_sample_deviation():
    lines = over_seeds([table(scale) for scale in SCALES]).splitlines()
    errors, probes = 3.456 * numpy.array(SCALES), 91.26 * numpy.array(SCALES)
    assert lines[0] == "| autoencoder | error | from noise | probe | numbers |"
    error = f"{errors.mean():.2f} ± {errors.std(ddof=1):.2f}"
    probe = f"{probes.mean():.1f} ± {probes.std(ddof=1):.1f}"
    assert lines[2] == f"| plain | **{error}** | 9.00 | 90.0 | 1,256 |"
    assert lines[3] == f"| sparse | 4.00 | **8.00** | **{probe}** | 20 |"


def test_over_seeds_crowns_the_best_mean_and_not_the_best_seed():
    tables = []
    for steady, lucky in [(2, 1), (2, 9)]:
        made = Table({"error": "low"})
        made.add("lucky", error=lucky)
        made.add("steady", error=steady)
        tables.append(made)
    lines = over_seeds(tables).splitlines()
    assert lines[2] == "| lucky | 5.00 ± 5.66 |" and lines[3] == "| steady | **2.00** |"


def test_over_seeds_of_columns_in_another_order():
    one, other = Table({"a": "", "b": ""}), Table({"b": "", "a": ""})
    one.add("x", a=1, b=10)
    other.add("x", a=3, b=10)
    assert over_seeds([one, other]).splitlines()[-1] == "| x | 2.00 ± 1.41 | 10.00 |"


@pytest.mark.parametrize("tables", [[], [table()]])
def test_a_spread_needs_two(tables):
    with pytest.raises(ValueError, match="two seeds or more"):
        over_seeds(tables)


def test_tables_of_other_methods_or_measures_are_not_averaged():
    more = table()
    more.add("third", error=1, from_noise=1, probe=1, numbers=1)
    for other in (more, Table({"error": "low"})):
        with pytest.raises(ValueError, match="different methods or measures"):
            over_seeds([table(), other])
