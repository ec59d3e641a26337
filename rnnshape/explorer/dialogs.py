"""The dialogs of the explorer: choose from a list, copy the question, name a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from rich.text import Text
from textual import on
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList, Static

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

Chosen = TypeVar("Chosen")


class Dialog(ModalScreen[Chosen]):
    """A dialog that Escape closes without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "Close")]


class Choose(Dialog[str]):
    """Choose one of several names; typing filters them."""

    def __init__(self, title: str, names: Sequence[str]) -> None:
        super().__init__()
        self.heading = title
        self.names = names

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(f"{self.heading}: type to search, Enter to choose, Escape to close")
            yield Input(compact=True)
            yield OptionList(*self.names, compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        found = self.query_one(OptionList)
        found.clear_options()
        found.add_options([name for name in self.names if event.value.lower() in name.lower()])
        if found.option_count:
            found.highlighted = 0

    def key_down(self) -> None:
        self.query_one(OptionList).focus()

    @on(Input.Submitted)
    def _first(self) -> None:
        found = self.query_one(OptionList)
        if found.highlighted is not None:
            self.dismiss(str(found.get_option_at_index(found.highlighted).prompt))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(str(event.option.prompt))


class Copy(Dialog[None]):
    """Copy the question in one of several forms; the highlighted form is shown."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        super().__init__()
        self.forms = forms

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label("Copy: the arrows show a form, Enter copies it, Escape closes")
            yield OptionList(*self.forms, compact=True)
            with VerticalScroll(id="text"):
                yield Static(Text(next(iter(self.forms.values()))))

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one("#text > Static", Static).update(Text(self.forms[str(event.option.prompt)]))

    @on(OptionList.OptionSelected)
    def _copy(self, event: OptionList.OptionSelected) -> None:
        name = str(event.option.prompt)
        self.app.copy_to_clipboard(self.forms[name])
        self.notify(f"{name} is in the clipboard, if this terminal takes it (OSC 52)")
        self.dismiss(None)


class Save(Dialog[str]):
    """The name of the file to write."""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label("Save the answer as a file that ends in .svg or .html; Enter saves, Escape closes")
            yield Input("rnnshape.svg", compact=True)

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())
