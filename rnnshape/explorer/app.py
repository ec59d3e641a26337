"""The application: its keys, and the action of each key and each edit."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from rnnshape.errors import OK, foreseen
from rnnshape.explorer import edits, written
from rnnshape.explorer.answer import Answer
from rnnshape.explorer.controls import Controls
from rnnshape.explorer.dialogs import Choose, Copy, Save
from rnnshape.explorer.mask import MaskGrid
from rnnshape.explorer.presets import NAMES, preset
from rnnshape.explorer.screen import Showing
from rnnshape.explorer.steps import History
from rnnshape.render import ON_DEMAND, View, by_ending, renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from typing import TextIO

    from textual.binding import BindingType
    from textual.screen import Screen

    from rnnshape.explorer.edits import Path
    from rnnshape.explorer.news import News
    from rnnshape.explorer.verifier import Verifier
    from rnnshape.layers import Node
    from rnnshape.render.marks import Marks

    Opened = Callable[[str], AbstractContextManager[TextIO]]

_PAUSE_S = 1.5
"""Keystrokes closer together than this form one undo step."""


class Explorer(Showing):
    """The explorer application with its key bindings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "wrap", "Wrap", tooltip="Wrap the layer in Bidirectional, or unwrap it", priority=True),
        Binding("f3", "change_class", "Class", tooltip="Give the layer another class", priority=True),
        Binding("f4", "append", "Append", tooltip="Append a layer to the stack", priority=True),
        Binding("f5", "copy", "Copy", tooltip="Copy the shell command, the YAML run or the Python code", priority=True),
        Binding("f6", "save", "Save", tooltip="Save the answer as svg or html", priority=True),
        Binding("f7", "preset", "Preset", tooltip="Start from a preset", priority=True),
        Binding("f8", "tab(1)", "Next tab", priority=True),
        Binding("shift+f8", "tab(-1)", "Previous tab", show=False, priority=True),
        Binding("f10", "fields", "Fields", tooltip="Hide or show the fields", priority=True),
        Binding("f12", "theme", "Light or dark", show=False, tooltip="Switch between light and dark", priority=True),
        Binding("f9", "remove", "Remove", show=False, tooltip="Remove the layer from the stack", priority=True),
        Binding("ctrl+z", "undo", "Undo", priority=True),
        Binding("ctrl+y", "redo", "Redo", priority=True),
        Binding("ctrl+q", "quit", "Quit", priority=True),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(
        self,
        history: History,
        *,
        opened: Opened,
        marks: Marks,
        verifier: Callable[[Callable[[News], None]], Verifier] | None,
    ) -> None:
        """As ``Showing``; ``opened(path)`` opens a file for writing."""
        super().__init__(history, marks=marks, verifier=verifier)
        self.opened = opened
        self.typed_at = 0.0
        self.layer: Path | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a dialog is open, only the quit keys work."""
        ours = action in _EDITS and isinstance(self.screen, ModalScreen)
        return False if ours else super().check_action(action, parameters)

    @on(TextArea.Changed, "#expression")
    async def _typed(self, event: TextArea.Changed) -> None:
        now = monotonic()
        going_on = now - self.typed_at < _PAUSE_S or self.history.now.spec is None
        self.typed_at = now
        step = self.history.now.with_text(event.text_area.text)
        same = step.spec is not None and step.spec == self.history.now.spec
        await self._to(step, replacing=bool(self.history.past) and (going_on or same))

    @on(Controls.Edited)
    async def _edited(self, event: Controls.Edited) -> None:
        now, field = self.history.now, event.field
        self.typed_at = 0.0
        if field.path is None:
            await self._to(now.with_option(field.argument.name, event.value))
        elif now.layer is not None:
            await self._to(now.with_layer(edits.changed(now.layer, field.path, field.argument.name, event.value)))

    @on(MaskGrid.Switched)
    async def _masked(self, event: MaskGrid.Switched) -> None:
        await self._to(self.history.now.with_mask(event.rows))

    @on(Controls.HelpLine)
    def _show_help(self, event: Controls.HelpLine) -> None:
        line = self.query_one("#help", Static)
        line.set_class(event.wrong, "-wrong")
        line.update(event.text)

    def on_descendant_focus(self) -> None:
        """Make the keys act on the layer whose fields have the focus."""
        controls = self.query_one(Controls)
        self.layer = controls.at(self.focused)

    def _target(self) -> tuple[Node, Path] | None:
        """The whole layer and the path that the keys act on: the focused layer, else the last layer of a stack.

        None, with a notification, if no layer can be edited.
        """
        layer = self.history.now.layer
        if layer is None:
            self.notify("fix the expression first", severity="warning")
            return None
        if layer.cls.kind == "graph":
            self.notify("wired calls are edited as text", severity="warning")
            return None
        there = [path for path, _ in edits.places(layer)]
        if self.layer in there:
            return layer, self.layer
        return layer, ("layers", len(layer.in_turn) - 1) if layer.cls.kind == "stack" else ()

    async def action_undo(self) -> None:
        await self._walk(self.history.undone)

    async def action_redo(self) -> None:
        await self._walk(self.history.redone)

    async def _walk(self, history: History) -> None:
        if history is self.history:
            return
        self.query_one(Answer).settle()
        self.history, self.typed_at = history, 0.0
        await self._show()

    async def action_wrap(self) -> None:
        if (target := self._target()) is None:
            return
        layer, path = target
        loop = edits.loop_at(layer, path)
        if loop is None:
            self.notify(f"Bidirectional takes a recurrent layer, which {edits.at(layer, path).name} is not")
            return
        edit = edits.unwrapped if edits.is_wrapped(layer, loop) else edits.wrapped
        await self._to(self.history.now.with_layer(edit(layer, loop)))

    @work
    async def action_change_class(self) -> None:
        if (target := self._target()) is None:
            return
        layer, path = target
        if edits.at(layer, path).name == "Bidirectional":
            path = (*path, "layer")
        title = f"Another class for {edits.at(layer, path).short}"
        if name := await self.push_screen_wait(Choose(title, edits.classes_for(layer, path))):
            await self._to(self.history.now.with_layer(edits.made_into(layer, path, name)))

    @work
    async def action_append(self) -> None:
        if (target := self._target()) is None:
            return
        if name := await self.push_screen_wait(Choose("Append a layer", edits.LAYERS)):
            await self._to(self.history.now.with_layer(edits.appended(target[0], name)))

    async def action_remove(self) -> None:
        if (target := self._target()) is None:
            return
        layer, path = target
        if layer.cls.kind != "stack":
            self.notify("only a layer of a stack can be removed", severity="warning")
            return
        await self._to(self.history.now.with_layer(edits.removed(layer, path)))

    def action_tab(self, on: int) -> None:
        self.query_one(Answer).turn(on)

    def action_theme(self) -> None:
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def action_fields(self) -> None:
        controls = self.query_one(Controls)
        controls.display = not controls.display

    def action_copy(self) -> None:
        report = self.query_one(Answer).report
        if report is None:
            self.notify("nothing to copy: fix the expression first", severity="warning")
            return
        spec = report.spec
        forms = {
            "Shell command": written.shell(spec),
            "YAML run": written.run(spec),
            "Python code": written.python(report),
        }
        self.push_screen(Copy(forms))

    @work
    async def action_save(self) -> None:
        report = self.query_one(Answer).report
        if report is None or not (name := await self.push_screen_wait(Save())):
            return
        form = by_ending(name)
        if form not in ("svg", "html"):
            self.notify(f"{name}: the extension must be .svg or .html", severity="error")
            return
        try:
            with self.opened(name) as stream:
                renderer(form)(report, stream, View.of(ON_DEMAND))
        except OSError as error:
            self.notify(foreseen(error).message, severity="error")
            return
        self.notify(f"written: {name}")

    @work
    async def action_preset(self) -> None:
        if name := await self.push_screen_wait(Choose("Start from a preset", NAMES)):
            steps = preset(name)
            before = (*self.history.past, self.history.now)
            await self._walk(History(steps.now, before, steps.future))
            self._tell_ahead()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette: Textual's own commands and all actions with a key."""
        yield from super().get_system_commands(screen)
        for binding in self.BINDINGS:
            if isinstance(binding, Binding) and binding.key.startswith(("f", "ctrl+z", "ctrl+y")):
                action = binding.action
                yield SystemCommand(
                    binding.description, binding.tooltip or binding.key, lambda action=action: self.run_action(action)
                )


_EDITS = ("wrap", "change_class", "append", "copy", "save", "preset", "tab", "remove", "undo", "redo", "fields")


def explore(app: Explorer) -> int:
    """Run the application in this terminal; return the exit code.

    Raises:
        RnnshapeError: an unexpected exception ended the application.
    """
    app.run()
    if app.failure is not None:
        raise app.failure
    return app.return_code or OK
