"use strict";
const path = document.getElementById("path");
const role = document.getElementById("role");
const count = document.getElementById("count");
const rows = [...document.querySelectorAll("tbody tr")];

// A browser may take a table whose rows are laid out as cards for mere text, unless it is named as one.
const roles = { table: "table", "thead, tbody": "rowgroup", tr: "row", "thead th": "columnheader", "tbody th": "rowheader", td: "cell" };
for (const [selector, name] of Object.entries(roles)) {
  for (const part of document.querySelectorAll(selector)) part.setAttribute("role", name);
}

function filter() {
  const wanted = path.value.trim().toLowerCase();
  const column = role.value;
  let shown = 0;
  for (const row of rows) {
    const cell = column && row.querySelector(`td[data-column="${column}"]`);
    const hidden = !row.dataset.path.includes(wanted) || (cell && cell.classList.contains("denied"));
    row.hidden = Boolean(hidden);
    shown += hidden ? 0 : 1;
  }
  for (const part of document.querySelectorAll("[data-column]")) {
    part.hidden = Boolean(column) && part.dataset.column !== column;
  }
  count.textContent = `${shown} of ${rows.length} routes`;
}

path.addEventListener("input", filter);
role.addEventListener("change", filter);
filter();
