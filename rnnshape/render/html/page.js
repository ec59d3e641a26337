"use strict";

// The page is complete without this script, which adds buttons and shows the filter.

function button(text, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

function copyable(code) {
  const press = async () => {
    // Select the text first: writing to the clipboard may not be allowed.
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Selected";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  };
  const copy = button("Copy", press);
  copy.className = "copy";
  code.after(copy);
}

// Each run is a tbody with two rows: the cells, and the layer.
function sortable(table) {
  const runs = [...table.tBodies];
  const order = new Intl.Collator("en", { numeric: true });
  const heads = [...table.tHead.querySelectorAll("th")];

  function sort(head, place) {
    const now = head.getAttribute("aria-sort");
    const next = { none: "ascending", ascending: "descending", descending: "none" }[now];
    const key = (run) => (run.rows[0].cells[place] || run.querySelector("summary")).textContent;
    const sorted = next === "none" ? runs : [...runs].sort((a, b) => order.compare(key(a), key(b)));
    heads.forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", next);
    table.append(...(next === "descending" ? [...sorted].reverse() : sorted));
  }

  heads.forEach((head, place) => {
    const press = button(head.textContent, () => sort(head, place));
    head.replaceChildren(press);
    head.setAttribute("aria-sort", "none");
  });
}

function filterable(table, form) {
  const runs = [...table.tBodies];
  const said = form.querySelector("output");

  function filter() {
    const find = form.elements.find.value.trim().toLowerCase();
    const state = form.elements.state.value;
    for (const run of runs) {
      const text = `${run.rows[0].textContent} ${run.querySelector("summary").textContent}`.toLowerCase();
      run.hidden = !(text.includes(find) && (state === "all" || run.className === state));
    }
    said.textContent = `${runs.filter((run) => !run.hidden).length} of ${runs.length}`;
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}

document.querySelectorAll("[data-copy]").forEach(copyable);
const table = document.querySelector("table.runs");
if (table) {
  sortable(table);
  filterable(table, document.getElementById("filter"));
}
