"""Data classes that are fast to define.

`dataclasses.dataclass` compiles the source of up to six methods for each class, which takes about 0.5 ms. A
command defines some 150 such classes and creates instances of a third of them, so this took a fifth of the
time of a small `plan`. The decorator of this module compiles one method, `__init__`, when the first instance
is created. All classes share the code of the others.
"""

import dataclasses
import inspect
import operator
from collections.abc import Callable
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NamedTuple

__all__ = ["dataclass"]


class Options(NamedTuple):
    """The arguments of `dataclasses.dataclass` that this module supports."""

    eq: bool = True
    order: bool = False
    frozen: bool = False
    slots: bool = False
    kw_only: bool = False


class Factory:
    """The default of a parameter whose value a function makes."""

    def __repr__(self) -> str:
        """Return the text that `inspect` shows."""
        return "<factory>"


FACTORY = Factory()


def lazy_dataclass(cls: type[Any] | None = None, /, **options: bool) -> Any:
    """Make a data class, as `dataclasses.dataclass` does.

    Args:
        cls: The class, if the decorator is used without arguments.
        **options: `eq`, `order`, `frozen`, `slots` and `kw_only` of `dataclasses.dataclass`.

    Returns:
        The class, or with arguments a decorator.

    Example:
        >>> from wheelrelay.lazy_dataclass import dataclass
        >>> @dataclass(frozen=True, slots=True)
        ... class Point:
        ...     x: int
        ...     y: int = 0
        >>> Point(1)
        Point(x=1, y=0)
    """

    def decorate(cls: type[Any]) -> type[Any]:
        return _define(cls, Options(**options))

    return decorate if cls is None else decorate(cls)


def _define(cls: type[Any], options: Options) -> type[Any]:
    # Python sets the hash of a class that defines `__eq__` to None.
    own = {name for name, value in vars(cls).items() if not (name == "__hash__" and value is None)}
    decorate = dataclasses.dataclass(
        init=False, repr=False, eq=False, slots=options.slots, kw_only=options.kw_only
    )
    cls = decorate(cls)
    methods: dict[str, object] = {"__repr__": _represent}
    if "__init__" not in own:
        methods |= {"__init__": _make_init(cls, options), "__signature__": _Signature()}
    if options.eq:
        methods |= _comparisons(cls, options)
    if options.frozen:
        methods |= {"__setattr__": _refuse_to_assign, "__delattr__": _refuse_to_delete}
        if options.slots:
            methods |= {"__getstate__": _values_of_fields, "__setstate__": _set_values_of_fields}
    for name in methods.keys() - own:
        setattr(cls, name, methods[name])
    return cls


def _make_init(cls: type[Any], options: Options) -> Callable[..., None]:
    """Return an `__init__` that replaces itself by one for the fields of the class at its first call."""

    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        cls.__init__ = _compile_init(cls, options)
        cls.__init__(self, *args, **kwargs)

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    return __init__


def _compile_init(cls: type[Any], options: Options) -> Callable[..., None]:
    fields = dataclasses.fields(cls)
    parameters = [field for field in fields if field.init and not field.kw_only]
    keywords = [field for field in fields if field.init and field.kw_only]
    names = ["self", *_names(parameters), *(["*", *_names(keywords)] if keywords else [])]
    body = [_assignment(field, options) for field in fields if field.init or _is_optional(field)]
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    source = "\n ".join([f"def __init__({', '.join(names)}):", *body, "pass"])
    values: dict[str, Any] = {"_set": object.__setattr__, "_factory": FACTORY}
    values |= {f"_make_{field.name}": field.default_factory for field in fields}
    values |= {f"_default_{field.name}": field.default for field in fields}
    exec(source, values)  # noqa: S102  (names of fields only)
    init: Any = values["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__defaults__ = tuple(_default(field) for field in parameters if _is_optional(field))
    init.__kwdefaults__ = {field.name: _default(field) for field in keywords if _is_optional(field)}
    return init  # type: ignore[no-any-return]


def _names(fields: list[dataclasses.Field[Any]]) -> list[str]:
    return [field.name for field in fields]


def _assignment(field: dataclasses.Field[Any], options: Options) -> str:
    name = field.name
    if field.default_factory is dataclasses.MISSING:
        value = name if field.init else f"_default_{name}"
    elif field.init:
        value = f"_make_{name}() if {name} is _factory else {name}"
    else:
        value = f"_make_{name}()"
    return f"_set(self, {name!r}, {value})" if options.frozen else f"self.{name} = {value}"


def _is_optional(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> object:
    return FACTORY if field.default is dataclasses.MISSING else field.default


class _Signature:
    """The signature of a class, which `inspect` would otherwise take from an `__init__` not made yet."""

    def __get__(self, instance: object, owner: type[Any]) -> inspect.Signature:
        parameters = [_parameter(field) for field in dataclasses.fields(owner) if field.init]
        return inspect.Signature(sorted(parameters, key=lambda parameter: parameter.kind))


def _parameter(field: dataclasses.Field[Any]) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY if field.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
    default = _default(field) if _is_optional(field) else inspect.Parameter.empty
    return inspect.Parameter(field.name, kind, default=default, annotation=field.type)


def _comparisons(cls: type[Any], options: Options) -> dict[str, object]:
    fields = dataclasses.fields(cls)
    compared = _values([field.name for field in fields if field.compare])
    methods: dict[str, object] = {"__eq__": _comparison(compared, operator.eq), "__hash__": None}
    if options.frozen:
        hashed = [field.name for field in fields if (field.compare if field.hash is None else field.hash)]
        methods["__hash__"] = _hash(_values(hashed))
    if options.order:
        for name in ("lt", "le", "gt", "ge"):
            methods[f"__{name}__"] = _comparison(compared, getattr(operator, name))
    return methods


def _values(names: list[str]) -> Callable[[Any], object]:
    """Return a function that returns the values of these attributes, which is written in C."""
    return operator.attrgetter(*names) if names else lambda _: ()


def _comparison(values: Callable[[Any], object], compare: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def method(self: Any, other: object, /) -> Any:
        if other.__class__ is self.__class__:
            return compare(values(self), values(other))
        return NotImplemented

    return method


def _hash(values: Callable[[Any], object]) -> Callable[[Any], int]:
    return lambda self: hash(values(self))


@recursive_repr()
def _represent(self: Any) -> str:
    shown = [
        f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr
    ]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_assign(self: Any, name: str, value: object) -> None:
    if _is_frozen(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _refuse_to_delete(self: Any, name: str) -> None:
    if _is_frozen(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _is_frozen(instance: Any, name: str) -> bool:
    # An ordinary class that inherits from a data class may have more attributes.
    return "__dataclass_fields__" in vars(type(instance)) or name in instance.__dataclass_fields__


def _values_of_fields(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_values_of_fields(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = lazy_dataclass
