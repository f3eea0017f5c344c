// Elements. Texts become text nodes only: nothing that comes from a manifest is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id. */
const byId = (id) => document.getElementById(id);

/** An element; keys of `props` are attributes, `on…` listeners, `text`, or a `style` of properties. */
function el(tag, props, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** The same in SVG. */
function svg(tag, props, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(node, props, children) {
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "text") node.textContent = value;
    else if (key === "style") for (const [name, to] of Object.entries(value)) node.style.setProperty(name, to);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A button that says what it does; `pressed` makes it a toggle. */
function button(text, onclick, props) {
  return el("button", { type: "button", onclick, ...props }, text);
}

/** A labelled choice among [value, text] pairs. */
function choice(label, options, value, onchoice) {
  const select = el("select", { "data-keep": `choice ${label}`, onchange: (event) => onchoice(event.target.value) });
  for (const [each, text] of options) select.append(el("option", { value: each, text }));
  select.value = value;
  return el("label", { class: "choice" }, el("span", { text: label }), select);
}

/** One tab stop for a group: arrow keys move among its buttons. */
function roving(group, selector) {
  const stops = () => [...group.querySelectorAll(selector)];
  stops().forEach((stop, number) => stop.setAttribute("tabindex", number ? "-1" : "0"));
  group.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = stops();
    const at = all.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = all[Math.min(all.length - 1, Math.max(0, at + steps[event.key]))];
    all.forEach((stop) => stop.setAttribute("tabindex", stop === next ? "0" : "-1"));
    next.focus();
  });
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Say something for two seconds, also to screen readers. */
function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => place.classList.remove("shown"), 2000);
}

/** Put `text` on the clipboard; pages from a disk may have none, then by a selection. */
async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = el("textarea", { class: "hidden", readonly: true });
    field.value = text;
    (document.querySelector("dialog[open]") || document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(`${what} copied`);
}
