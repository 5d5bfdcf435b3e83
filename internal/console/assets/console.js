// Follows the changes of a page, and shows times in the time zone of the viewer.

const status = document.getElementById("live");

function localize(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.textContent = "clock" in time.dataset ? at.toLocaleTimeString() : at.toLocaleString();
    time.title = time.dateTime;
  }
}

// morph makes a node like another one, with as few changes as possible: what stays keeps the
// focus, its scrolled position and its animation.
function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || from.id !== to.id) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  morphChildren(from, to);
}

function morphChildren(from, to) {
  const wanted = [...to.childNodes];
  while (from.childNodes.length > wanted.length) from.lastChild.remove();
  wanted.forEach((node, i) => {
    if (i < from.childNodes.length) morph(from.childNodes[i], node);
    else from.append(node);
  });
}

function replace(section, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  localize(template.content);
  morphChildren(section, template.content);
}

let source = null;

function follow(url) {
  source = new EventSource(url);
  source.addEventListener("open", () => { status.textContent = "live"; });
  source.addEventListener("error", () => { status.textContent = "The connection is lost. Trying again."; });
  source.addEventListener("sections", (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) {
      const section = document.getElementById(id);
      if (section) replace(section, html);
    }
  });
}

localize(document);
let url = document.body.dataset.live;
if (url) {
  // A page that nobody sees costs nothing.
  const toggle = () => {
    source?.close();
    source = null;
    if (!document.hidden) follow(url);
  };
  document.addEventListener("visibilitychange", toggle);
  toggle();
  // What a form chooses is shown at once.
  for (const form of document.querySelectorAll("form[data-follow]")) {
    form.addEventListener("input", () => {
      const query = "?" + new URLSearchParams(new FormData(form));
      history.replaceState(null, "", query);
      url = url.split("?")[0] + query;
      toggle();
    });
  }
}
