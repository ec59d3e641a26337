"""The widgets for switches, choices and fields: they show the current step and post messages about edits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Container, Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Checkbox, Collapsible, Input, Label, Select

from rnnshape.explorer.fields import CHOICE, SWITCH, Field, Group, groups
from rnnshape.explorer.mask import MaskGrid

if TYPE_CHECKING:
    from textual.content import Content
    from textual.widget import Widget

    from rnnshape.explorer.edits import Path
    from rnnshape.explorer.steps import Step


def _help(field: Field) -> str:
    return f"{field.argument.name}: {field.argument.told}"


def key_of(field: Field) -> str:
    """The id of a field's control: ``run-batch``, ``at-layers-0-units``."""
    where = ("run",) if field.path is None else ("at", *map(str, field.path))
    return "-".join((*where, field.argument.name))


class Switch(Checkbox):
    """A checkbox whose value is visible without colour."""

    @property
    def _button(self) -> Content:
        self.BUTTON_INNER = "X" if self.value else " "
        return super()._button

    def __init__(self, field: Field) -> None:
        super().__init__(field.argument.name, field.value, id=key_of(field), compact=True, tooltip=field.argument.told)
        self.field = field

    def follow(self, field: Field) -> None:
        """Show the value of a step without posting a message."""
        self.field = field
        with self.prevent(Checkbox.Changed):
            self.value = field.value


class Choice(Select[int]):
    """One of a few values, chosen by index, because values such as None and True occur."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.values = [value for _, value in field.choices]
        super().__init__(
            [(text, number) for number, (text, _) in enumerate(field.choices)],
            value=self.values.index(field.value),
            allow_blank=False,
            id=key_of(field),
            compact=True,
            tooltip=field.argument.told,
        )

    def follow(self, field: Field) -> None:
        """As ``Switch.follow``."""
        self.field = field
        with self.prevent(Select.Changed):
            values = [value for _, value in field.choices]
            if values != self.values:
                self.values = values
                self.set_options((text, number) for number, (text, _) in enumerate(field.choices))
            self.value = self.values.index(field.value)


class Entry(Input):
    """A text field for a number, a size or a text."""

    def __init__(self, field: Field) -> None:
        placeholder = "none" if field.argument.default is None else ""
        super().__init__(field.text, placeholder, id=key_of(field), compact=True, tooltip=field.argument.told)
        self.field = field

    def follow(self, field: Field) -> None:
        """As ``Switch.follow``; text that is being typed stays if it means the same value."""
        same = self.has_focus and field.meant(self.value) == (field.value, None)
        self.field = field
        self.remove_class("-wrong")
        if not same and self.value != field.text:
            with self.prevent(Input.Changed):
                self.value = field.text


Control = Switch | Choice | Entry


def control(field: Field) -> Control:
    """The control of a field."""
    if field.control == SWITCH:
        return Switch(field)
    return Choice(field) if field.control == CHOICE else Entry(field)


def _row(field: Field) -> Horizontal:
    """A field with its name."""
    return Horizontal(Label(field.argument.name), control(field), classes="row")


class Controls(VerticalScroll, can_focus=False):
    """All groups of fields of the current step."""

    @dataclass
    class Edited(Message):
        """The user gave a field another valid value."""

        field: Field
        value: Any

    @dataclass
    class HelpLine(Message):
        """The text of the help line: the help of a field, or its problem."""

        text: str
        wrong: bool = False

    def __init__(self) -> None:
        super().__init__(id="controls")
        self.shown: tuple[Group, ...] = ()

    async def follow(self, step: Step) -> None:
        """Show the fields of a step; if its text cannot be read, keep the last ones, disabled."""
        wanted = groups(step)
        self.disabled = not wanted
        if not wanted:
            return
        if [_form(group) for group in wanted] == [_form(group) for group in self.shown]:
            for shown, group in zip(self.query(Collapsible), wanted, strict=True):
                shown.title = group.title
                for field in group.fields:
                    self.query_one(f"#{key_of(field)}", Switch | Choice | Entry).follow(field)  # type: ignore[arg-type]
            self.shown = wanted
        else:
            await self._rebuild(wanted)
        for grid in self.query(MaskGrid):
            grid.follow(step)

    async def _rebuild(self, wanted: tuple[Group, ...]) -> None:
        """Replace all fields; the focus moves to the field of the same argument, if there is one."""
        focused = self.screen.focused
        name = focused.field.argument.name if isinstance(focused, Switch | Choice | Entry) else None
        closed = {group.title.partition(":")[0] for group in self.query(Collapsible) if group.collapsed}
        self.shown = wanted
        async with self.batch():
            await self.remove_children()
            await self.mount_all(self._group(group, closed) for group in wanted)
        if name is not None:
            same = [one for one in self.query("Switch, Choice, Entry") if one.field.argument.name == name]  # type: ignore[attr-defined]
            for one in same[:1]:
                one.focus(scroll_visible=False)

    def _group(self, group: Group, closed: set[str]) -> Collapsible:
        inside: list[Widget] = []
        switches = [control(field) for field in group.fields if field.control == SWITCH]
        others = [field for field in group.fields if field.control != SWITCH]
        if switches:
            inside.append(Container(*switches, classes="switches"))
        if others:
            inside.append(Container(*map(_row, others), classes="entries"))
        if group.title == "Input":
            inside.append(MaskGrid())
        folded = group.title.partition(":")[0] in closed
        return Collapsible(*inside, title=group.title, collapsed=folded)

    def at(self, widget: Widget | None) -> Path | None:
        """The path of the layer whose group contains this widget."""
        for ancestor in () if widget is None else widget.ancestors_with_self:
            if isinstance(ancestor, Collapsible):
                place = [*self.query(Collapsible)].index(ancestor)
                return self.shown[place].path
        return None

    @on(Checkbox.Changed)
    def _switched(self, event: Checkbox.Changed) -> None:
        event.stop()
        assert isinstance(event.checkbox, Switch)
        self.post_message(self.Edited(event.checkbox.field, event.value))

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        event.stop()
        assert isinstance(event.select, Choice)
        assert isinstance(event.value, int)
        value = event.select.values[event.value]
        if value != event.select.field.value:
            self.post_message(self.Edited(event.select.field, value))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        assert isinstance(event.input, Entry)
        field = event.input.field
        value, wrong = field.meant(event.value)
        event.input.set_class(wrong is not None, "-wrong")
        if wrong is not None:
            self.post_message(self.HelpLine(f"{field.argument.name} {wrong}", wrong=True))
            return
        if event.input.has_focus:
            self.post_message(self.HelpLine(_help(field)))
        if value != field.value:
            self.post_message(self.Edited(field, value))

    def on_descendant_focus(self) -> None:
        """Show the help of the focused field in the help line."""
        focused = self.screen.focused
        if isinstance(focused, Switch | Choice | Entry):
            self.post_message(self.HelpLine(_help(focused.field)))
        elif isinstance(focused, MaskGrid):
            self.post_message(self.HelpLine(focused.HELP))


def _form(group: Group) -> object:
    """The key of a group: two groups with equal keys can use the same widgets."""
    return group.path, [(field.argument.name, field.control) for field in group.fields]
