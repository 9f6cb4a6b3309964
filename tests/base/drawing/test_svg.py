from flasheval.base.drawing.figures import new_figure
from flasheval.base.drawing.svg import Drawing, inline_svg, laid_out


def _plot(names, label="a label"):
    def draw():
        figure, axes = new_figure(3, 2)
        axes.scatter([1, 2], [1, 2], gid="points", color="#0072B2")
        axes.set_title("costs $5_a$ & <more>")
        return Drawing("key", figure, "", label, {"points": names})

    return laid_out(draw)


def test_points_are_named_and_all_is_escaped():
    svg = inline_svg(_plot(["a <b>", 'c "d"'], 'say "what" & why'))
    assert svg.startswith("<svg ")
    assert 'role="img" aria-label="say &quot;what&quot; &amp; why"' in svg
    assert svg.count("<title>") == 2
    assert "<title>a &lt;b&gt;</title></use>" in svg
    assert ">costs $5_a$ &amp; &lt;more&gt;</text>" in svg
    assert "width=" not in svg.partition(">")[0]
    assert "var(--blue)" in svg
    assert "#0072b2" not in svg


def test_fewer_names_than_points_leave_the_rest_alone():
    assert inline_svg(_plot(["only one"])).count("<title>") == 1
