"""Products and powers of terms, and rewriting inside them: the arithmetic of the normal form."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from math import gcd, isqrt, lcm

from purenet.prove.kernel import (
    bounds,
    budget,
    conditions,
    consistency,
    digits,
    functions,
    signs,
    sums,
)
from purenet.prove.kernel.factors import (
    Base,
    Binder,
    Call,
    Constant,
    Digit,
    Entry,
    Index,
    Iverson,
    Named,
)
from purenet.prove.kernel.linear import (
    ONE,
    ZERO,
    add,
    atom,
    leading,
    magnitude,
    number,
    ordered,
    rational,
    scale,
    subtract,
)
from purenet.prove.kernel.terms import Factor, Monomial, Number, Poly, Var

UNIT = ONE.terms


def multiply(*polys: Poly) -> Poly:
    """The product of terms, expanded."""
    result = polys[0] if polys else ONE
    for poly in polys[1:]:
        result = _times(result, poly)
    return result


def _times(left: Poly, right: Poly) -> Poly:
    if not left.terms or not right.terms:
        return ZERO
    if left.terms == UNIT or right.terms == UNIT:
        return left if right.terms == UNIT else right
    budget.check(len(left.terms) * len(right.terms))
    return add(
        *[
            scale(_product(m, n), c * d)
            for m, c in left.terms.items()
            for n, d in right.terms.items()
        ]
    )


def _product(left: Monomial, right: Monomial) -> Poly:
    if not left or not right:
        return Poly({left or right: 1})
    powers = dict(left)
    cancelled: list[Poly] = []
    for factor, exponent in right:
        total = rational(powers.get(factor, 0) + exponent)
        if total == 0 and factor in powers and not bounds.nonzero(atom(factor)):
            cancelled.append(subtract(ONE, signs.equals_zero(atom(factor))))
        powers[factor] = total
    return multiply(_normalised(powers), *cancelled)


def _normalised(powers: Mapping[Factor, Number]) -> Poly:
    """A product of powers, brought to normal form: most products are a monomial already."""
    plain: list[tuple[Factor, Number]] = []
    expanded: list[Poly] = []
    for factor, exponent in powers.items():
        if exponent == 0:
            continue
        kept, rest = _reduced(factor, exponent)
        if kept:
            plain.append((factor, kept))
        expanded.extend(rest)
    if any(isinstance(f, Iverson) for f, _ in plain):
        return multiply(consistency.consistent(ordered(plain)), *expanded)
    return multiply(Poly({ordered(plain): 1}), *expanded)


def _reduced(factor: Factor, exponent: Number) -> tuple[Number, list[Poly]]:
    """The power of `factor` that is kept as it is, and what the rest of it is expanded to."""
    if isinstance(factor, Iverson) or (isinstance(factor, Entry) and factor.array.binary):
        return 1, []
    whole = exponent.numerator // exponent.denominator
    if isinstance(factor, Base) and whole >= 1:
        return rational(exponent - whole), [power(factor.poly, whole)]
    if isinstance(factor, Constant) and factor.name.isdigit() and whole != 0:
        return rational(exponent - whole), [number(Fraction(int(factor.name)) ** whole)]
    if isinstance(factor, Call) and factor.name == "cos" and exponent >= 2 and whole == exponent:
        square = subtract(ONE, power(functions.call("sin", factor.argument), 2))
        return exponent % 2, [power(square, whole // 2)]
    return exponent, []


def power(base: Poly, exponent: Number) -> Poly:
    """base**exponent for a rational exponent; 0 to a negative power is 0."""
    exponent = rational(exponent)
    if exponent == 0:
        return ONE
    if exponent == 1:
        return base
    if base.is_zero:
        return ZERO
    single = base.single()
    if single:
        return _power_of_monomial(*single, exponent)
    if isinstance(exponent, int) and exponent > 0:
        half = power(base, exponent // 2)
        return multiply(half, half, base) if exponent % 2 else multiply(half, half)
    return conditions.piecewise(base, lambda p: _power_of_sum(p, exponent))


def _power_of_sum(base: Poly, exponent: Number) -> Poly:
    if base.is_zero or base.single():
        return power(base, exponent)
    content, primitive = primitive_part(base, signed=isinstance(exponent, int))
    root = square_root(primitive) if isinstance(exponent, int) else None
    if root is not None:
        return multiply(power(content, exponent), power(root, 2 * exponent))
    return multiply(power(content, exponent), _normalised({Base(primitive): exponent}))


def _power_of_monomial(monomial: Monomial, coefficient: Number, exponent: Number) -> Poly:
    if isinstance(exponent, int):
        powers = {f: rational(e * exponent) for f, e in monomial}
        return scale(_normalised(powers), Fraction(coefficient) ** exponent)
    known = [(f, e) for f, e in monomial if bounds.nonnegative(atom(f)) or _is_root(e)]
    unknown = ordered(pair for pair in monomial if pair not in known)
    if coefficient < 0 and not unknown:
        return _normalised({Base(Poly({monomial: coefficient})): exponent})
    result = _normalised({f: rational(e * exponent) for f, e in known})
    result = multiply(result, _root(magnitude(coefficient), exponent))
    sign = -1 if coefficient < 0 else 1
    return multiply(result, _power_of_unknown(unknown, sign, exponent)) if unknown else result


def _is_root(exponent: Number) -> bool:
    return exponent.denominator % 2 == 0


def _power_of_unknown(monomial: Monomial, sign: int, exponent: Number) -> Poly:
    """(sign · f^e …)^exponent where the signs of the f are not known."""
    if all(isinstance(e, int) and e % 2 == 0 for _, e in monomial):
        absolute = [power(signs.absolute(atom(f)), e * exponent) for f, e in monomial]
        if sign > 0 and all(rational(e * exponent).denominator == 1 for _, e in monomial):
            return multiply(*absolute)
    if len(monomial) == 1 and sign > 0 and isinstance(monomial[0][1], int) and monomial[0][1] % 2:
        return _normalised({monomial[0][0]: rational(monomial[0][1] * exponent)})
    return _normalised({Base(Poly({monomial: sign})): exponent})


def _root(value: Number, exponent: Number) -> Poly:
    """A positive rational number to a rational power, by its primes."""
    value = Fraction(value)
    primes: dict[int, Number] = {}
    for part, sign in ((value.numerator, 1), (value.denominator, -1)):
        for prime, count in factorised(part).items():
            primes[prime] = primes.get(prime, 0) + sign * count
    powers: dict[Factor, Number] = {
        Constant(str(prime), float(prime)): rational(count * exponent)
        for prime, count in primes.items()
        if count
    }
    return _normalised(powers) if powers else ONE


def factorised(value: int) -> dict[int, int]:
    """The primes of a positive integer; what is left beyond 10⁵ counts as a prime."""
    found: dict[int, int] = {}
    divisor = 2
    while divisor * divisor <= value and divisor < 100_000:
        while value % divisor == 0:
            found[divisor] = found.get(divisor, 0) + 1
            value //= divisor
        divisor += 1
    if value > 1:
        found[value] = found.get(value, 0) + 1
    return found


@lru_cache(maxsize=20_000)
def primitive_part(poly: Poly, *, signed: bool) -> tuple[Poly, Poly]:
    """content · primitive = poly; the content is positive unless `signed`, then it may be any."""
    coefficients = [Fraction(c) for c in poly.terms.values()]
    content = Fraction(
        gcd(*(c.numerator for c in coefficients)), lcm(*(c.denominator for c in coefficients))
    )
    common = _common_factors(poly, signed=signed)
    shift = Poly({ordered((f, -e) for f, e in common.items()): 1})
    primitive = scale(_shifted(poly, shift), 1 / content)
    if signed and primitive.terms[leading(primitive)] < 0:
        content, primitive = -content, scale(primitive, -1)
    return scale(Poly({ordered(common.items()): 1}), content), primitive


def _shifted(poly: Poly, shift: Poly) -> Poly:
    """Every monomial divided by factors that it has: no question of zero arises."""
    ((monomial, _),) = shift.terms.items()
    if not monomial:
        return poly
    parts = []
    for old, coefficient in poly.terms.items():
        powers = dict(old)
        for factor, exponent in monomial:
            powers[factor] = rational(powers.get(factor, 0) + exponent)
        parts.append(scale(_normalised(powers), coefficient))
    return add(*parts)


def _common_factors(poly: Poly, *, signed: bool) -> dict[Factor, Number]:
    """What can be taken out: positive factors, and any that is in every monomial if `signed`."""
    common: dict[Factor, Number] = {}
    for factor in poly.factors:
        lowest = min(dict(m).get(factor, 0) for m in poly.terms)
        if not lowest or isinstance(factor, Iverson):
            continue
        if bounds.positive(atom(factor)) or (signed and lowest > 0):
            common[factor] = lowest
    return common


@lru_cache(maxsize=20_000)
def square_root(poly: Poly) -> Poly | None:
    """q with q² = poly, if there is one: term by term in a monomial order."""
    if not 3 <= len(poly.terms) <= 40:
        return None
    order = sorted(poly.factors, key=lambda f: f.digest)

    def key(monomial: Monomial) -> tuple[Number, ...]:
        powers = dict(monomial)
        return tuple(powers.get(f, 0) for f in order)

    first = max(poly.terms, key=key)
    root = _root_of_term(first, Fraction(poly.terms[first]))
    if root is None:
        return None
    ((lead, coefficient),) = root.terms.items()
    for _ in range(len(poly.terms)):
        rest = subtract(poly, _expanded_square(root))
        if rest.is_zero:
            return root
        top = max(rest.terms, key=key)
        powers = dict(top)
        for factor, exponent in lead:
            powers[factor] = rational(powers.get(factor, 0) - exponent)
        if any(e < 0 for e in powers.values()):
            return None
        term = ordered((f, e) for f, e in powers.items() if e)
        if term in root.terms:
            return None
        root = add(root, Poly({term: rational(Fraction(rest.terms[top]) / (2 * coefficient))}))
    return None


def _expanded_square(poly: Poly) -> Poly:
    """poly² without any simplification: whether a root was found must not depend on one."""
    parts = []
    for m, c in poly.terms.items():
        for n, d in poly.terms.items():
            powers = dict(m)
            for factor, exponent in n:
                powers[factor] = rational(powers.get(factor, 0) + exponent)
            parts.append(Poly({ordered(powers.items()): c * d}))
    return add(*parts)


def _root_of_term(monomial: Monomial, coefficient: Fraction) -> Poly | None:
    top, bottom = isqrt(abs(coefficient.numerator)), isqrt(coefficient.denominator)
    if coefficient <= 0 or Fraction(top * top, bottom * bottom) != coefficient:
        return None
    if any(not isinstance(e, int) or e % 2 for _, e in monomial):
        return None
    half = ordered((f, e // 2) for f, e in monomial)
    return Poly({half: rational(Fraction(top, bottom))})


Rule = Callable[[Factor], Poly | None]


def rewrite(poly: Poly, rule: Rule, done: dict[Factor, Poly | None] | None = None) -> Poly:
    """Every factor for which `rule` has something else replaced by it, at any depth."""
    done = {} if done is None else done
    unchanged: dict[Monomial, Number] = {}
    changed: list[Poly] = []
    for monomial, coefficient in poly.terms.items():
        images = [_image(f, rule, done) for f, _ in monomial]
        if images.count(None) == len(images):
            unchanged[monomial] = coefficient
            continue
        pairs = list(zip(monomial, images, strict=True))
        kept = Poly({tuple([pair for pair, image in pairs if image is None]): coefficient})
        new = [power(image, e) for (_, e), image in pairs if image is not None]
        changed.append(multiply(kept, *new))
    return add(Poly(unchanged), *changed) if changed else poly


def _image(factor: Factor, rule: Rule, done: dict[Factor, Poly | None]) -> Poly | None:
    """What a factor becomes; None if it stays."""
    if factor not in done:
        image = rule(factor)
        if image is None:
            image = _rebuilt(factor, rule, done)
        done[factor] = None if image.terms == {((factor, 1),): 1} else image
    return done[factor]


def _rebuilt(factor: Factor, rule: Rule, done: dict[Factor, Poly | None]) -> Poly:
    if not factor.polys:
        return atom(factor)
    if isinstance(factor, Binder):
        bound, body = sums.opened(factor)
        new = rewrite(body, rule)
        return atom(factor) if new == body else sums.bind(factor.tag, bound, new)
    polys = tuple([rewrite(p, rule, done) for p in factor.polys])
    return atom(factor) if polys == factor.polys else build(factor, polys)


def build(factor: Factor, polys: tuple[Poly, ...]) -> Poly:
    """The factor with other parts, normalised."""
    if isinstance(factor, Entry):
        return atom(Entry(factor.array, polys))
    if isinstance(factor, Named):
        return atom(Named(factor.definition, polys))
    if isinstance(factor, Call):
        return functions.call(factor.name, polys[0], factor.order)
    if isinstance(factor, Iverson):
        return signs.holds(factor.relation, polys[0])
    if isinstance(factor, Digit):
        return (digits.quotient if factor.tag == "quotient" else digits.remainder)(*polys)
    assert isinstance(factor, Base)
    return polys[0]  # the power is taken by the caller


def substitute(poly: Poly, values: Mapping[Var, Poly]) -> Poly:
    """Index variables replaced; `values` never contain bound ones, so nothing is captured."""
    if poly.free.isdisjoint(values):
        return poly

    names = _new_names(values)

    def rule(factor: Factor) -> Poly | None:
        if isinstance(factor, Index):
            return values.get(factor.var)
        if factor.free.isdisjoint(values):
            return atom(factor)
        if isinstance(factor, Binder) and names is not None and not names & factor.free:
            return sums.renamed(factor, dict(values))
        return None

    return rewrite(poly, rule)


def _new_names(values: Mapping[Var, Poly]) -> set[Var] | None:
    """The variables that stand for others, if each does for one only."""
    names = set()
    for value in values.values():
        single = value.single()
        if single is None or single[1] != 1 or len(single[0]) != 1:
            return None
        factor, exponent = single[0][0]
        if not isinstance(factor, Index) or exponent != 1 or factor.var in names:
            return None
        names.add(factor.var)
    return names
