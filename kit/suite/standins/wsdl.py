"""Writes the WSDL of a service of examples: what its operations take and answer, as the streams declare it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from connectors.kinds.soap.params import nested, places
from connectors.source import StreamSpec
from kit.suite.standins.elements import steps_of

NAMESPACE = "urn:example:examples"

Tree = dict[str, Any]
"""The parts of an element by name: `@name` an attribute, `name[]` one that repeats, each with its own parts."""


def asks_of(spec: StreamSpec) -> Tree:
    """Return what a stream's messages may hold: its parameters, and those that the hub fills in."""
    options = spec.options
    params: Mapping[str, Any] = options.get("params", {})
    paging = options.get("paging", {})
    asked = [paging.get("param"), paging.get("size_param")]
    asked += [options[name]["param"] for name in ("since", "until") if name in options]
    if paging.get("style") in {"page", "offset"} and "param" not in paging:
        asked.append(paging["style"])
    sent = nested({**params, **{name: "" for name in asked if name and name not in params}})
    return _tree({name: value for name, value in sent.items() if name not in places(params)})


def _tree(value: Any) -> Tree:
    if isinstance(value, dict):
        return {f"{name}[]" if isinstance(one, list) else name: _tree(one) for name, one in value.items()}
    return _tree(value[0]) if isinstance(value, list) and value else {}


def answers_of(spec: StreamSpec, schema: Mapping[str, Any]) -> Tree:
    """Return what a stream's answers hold: its records with their fields, and what stands beside them."""
    options = spec.options
    out: Tree = {}
    if "document" in options:
        grow(out, options["document"].split("/"), {})
        return out
    *above, record = options["records"].split("/")
    grow(out, [*above, f"{record}[]"], _fields(options.get("fields", {}), schema))
    for path in (options.get("total"), options.get("success", {}).get("path"), options.get("paging", {}).get("next")):
        if path:
            grow(out, path.split("/"), {})
    return out


def grow(tree: Tree, steps: Iterable[str], parts: Tree) -> None:
    """Put parts at a place of a tree, beside those that are there."""
    for step in steps:
        tree = tree.setdefault(step, {})
    for name, inner in parts.items():
        grow(tree, [name], inner)


def _fields(places_: Mapping[str, str], schema: Mapping[str, Any]) -> Tree:
    out: Tree = {}
    for name, said in schema.get("properties", {}).items():
        *above, last = steps_of(places_[name]) if name in places_ else [name]
        kind = said.get("type", ())
        repeats = "array" in ([kind] if isinstance(kind, str) else kind) and not last.startswith("@")
        steps = [one.rpartition(":")[2] for one in above]
        last = last if last.startswith("@") else last.rpartition(":")[2]
        grow(out, [*steps, f"{last}[]" if repeats else last], _fields({}, said))
    return out


def wsdl(address: str, operations: Mapping[str, tuple[Tree, Tree]]) -> str:
    """Write the WSDL of operations, each with what it takes and what it answers; SOAP 1.1, document/literal."""
    types, messages, ports, bindings = [], [], [], []
    for name, (asks, answers) in operations.items():
        said = quoteattr(name)
        types.append(_element(name, asks) + _element(f"{name}Response", answers))
        messages += [_message(name), _message(f"{name}Response")]
        ways = f"<wsdl:input message={quoteattr(f't:{name}')}/><wsdl:output message={quoteattr(f't:{name}Response')}/>"
        ports.append(f"<wsdl:operation name={said}>{ways}</wsdl:operation>")
        action = f"<soap:operation soapAction={quoteattr(f'{NAMESPACE}/{name}')}/>"
        body = "".join(f'<wsdl:{way}><soap:body use="literal"/></wsdl:{way}>' for way in ("input", "output"))
        bindings.append(f"<wsdl:operation name={said}>{action}{body}</wsdl:operation>")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:t="{NAMESPACE}" xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}">
<wsdl:types><xs:schema targetNamespace="{NAMESPACE}" elementFormDefault="qualified">{"".join(types)}</xs:schema>
</wsdl:types>{"".join(messages)}<wsdl:portType name="Examples">{"".join(ports)}</wsdl:portType>
<wsdl:binding name="Binding" type="t:Examples"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
{"".join(bindings)}</wsdl:binding><wsdl:service name="Service"><wsdl:port name="Port" binding="t:Binding">
<soap:address location={quoteattr(address)}/></wsdl:port></wsdl:service></wsdl:definitions>"""


def _message(name: str) -> str:
    part = f'<wsdl:part name="parameters" element={quoteattr(f"t:{name}")}/>'
    return f"<wsdl:message name={quoteattr(name)}>{part}</wsdl:message>"


def _element(name: str, parts: Tree, occurs: str = "") -> str:
    """Write an element; one without parts holds text."""
    if not parts:
        kind = "" if not occurs else ' nillable="true"'
        text = ' type="xs:string"' if occurs else ""
        inner = "" if occurs else "<xs:complexType><xs:sequence/></xs:complexType>"
        return f"<xs:element name={quoteattr(name)}{text}{kind}{occurs}>{inner}</xs:element>"
    below = "".join(
        _element(
            one.removesuffix("[]"), inner, f' minOccurs="0" maxOccurs="{"unbounded" if one.endswith("[]") else 1}"'
        )
        for one, inner in parts.items()
        if not one.startswith("@")
    )
    marks = "".join(f'<xs:attribute name={quoteattr(one[1:])} type="xs:string"/>' for one in parts if one[0] == "@")
    inner = f"<xs:complexType><xs:sequence>{below}</xs:sequence>{marks}</xs:complexType>"
    return f"<xs:element name={quoteattr(name)}{occurs}>{inner}</xs:element>"
