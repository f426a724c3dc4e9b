"""What stands for a domain while a function is traced."""

from purenet.prove import domains as d
from purenet.prove.opaque import Opaque
from purenet.prove.sizes import Sizes
from purenet.prove.symbolic import abstract


def test_each_kind_has_its_dtype():
    domains = (d.real("n"), d.label("n", classes="k"), d.boolean(), d.distribution("n k"))

    structs = abstract(domains, Sizes())
    assert [str(s.dtype) for s in structs] == ["float64", "int64", "bool", "float64"]
    assert [tuple(map(str, s.shape)) for s in structs] == [("n",), ("n",), (), ("n", "k")]
    assert abstract((d.static(3), d.function("f")), Sizes()) == (3, Opaque("f"))
