"use strict";
// What all pages share. Text goes into the page as text nodes only; the page's policy forbids anything else.

// The style sheet hides what needs no script from now on, before anything is drawn.
document.documentElement.classList.add("scripted");

const byId = id => document.getElementById(id);

// An element. Attributes that are functions listen to events; those that are false or null are left out.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

// Prose: what is between backticks is code. Backticks that are no pair are text.
function prose(text) {
  const fragment = document.createDocumentFragment(),
    parts = text.split("`");
  if (parts.length % 2 === 0) return document.createTextNode(text);
  parts.forEach((part, i) => fragment.append(i % 2 ? element("code", {}, part) : part));
  return fragment;
}

// "1 finding", "2 findings"
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// What the address names. It may come from anywhere, and need not be well-formed.
function addressed() {
  const fragment = location.hash.slice(1);
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function readData() {
  return JSON.parse(byId("data").textContent);
}

// Light, dark, or as the system has it. Browsers may refuse to store the choice.
const THEMES = ["system", "light", "dark"];
const storedTheme = () => {
  try {
    return localStorage.getItem("cowrap-theme");
  } catch {
    return null;
  }
};
let theme = THEMES.includes(storedTheme()) ? storedTheme() : "system";
function showTheme() {
  document.documentElement.dataset.theme = theme;
  const button = byId("theme");
  if (button) button.textContent = { system: "Theme: auto", light: "Theme: light", dark: "Theme: dark" }[theme];
}
function nextTheme() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  try {
    localStorage.setItem("cowrap-theme", theme);
  } catch {
    /* the choice holds for this view only */
  }
  showTheme();
}

// The buttons that each page has, and keys. `keys` maps a key to what it does; it works outside of text fields.
function startPage(keys) {
  showTheme();
  byId("theme").addEventListener("click", nextTheme);
  byId("show-help").addEventListener("click", () => byId("help").showModal());
  byId("close-help").addEventListener("click", () => byId("help").close());
  const all = { t: nextTheme, "?": () => byId("help").showModal(), ...keys };
  addEventListener("keydown", event => {
    const isText = event.target instanceof Element && event.target.matches("input[type=search], select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    if (isText && event.key !== "Escape") return;
    if (Object.hasOwn(all, event.key) && all[event.key](event) !== false) event.preventDefault();
  });
}
