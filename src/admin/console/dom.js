// Builds elements. Whatever somebody typed goes in as text, never as markup.

/** An element with attributes, listeners (`onclick`, …) and children: elements or texts. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same in SVG. */
export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Asks in a dialog, with `more` between the question and the answers; resolves to whether it was confirmed. */
export function confirm(text, yes, no, ...more) {
  return new Promise((resolve) => {
    const end = (answer) => () => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const title = h("p", { id: "asked" }, text);
    const dialog = h(
      "dialog",
      { "aria-labelledby": "asked", oncancel: end(false) },
      title,
      ...more,
      h(
        "div",
        { class: "row" },
        h("button", { class: "main", type: "button", onclick: end(true) }, yes),
        h("button", { type: "button", onclick: end(false) }, no),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

let quiet;
/** Says something at the edge of the page, for eyes and screen readers. */
export function say(text) {
  const place = document.getElementById("said");
  place.textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => (place.textContent = ""), 4000);
}
