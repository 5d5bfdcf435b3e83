// Follows the changes of a page, and shows times in the time zone of the viewer.

const status = document.getElementById("live");

function localize(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.textContent = "clock" in time.dataset ? at.toLocaleTimeString() : at.toLocaleString();
    time.title = time.dateTime;
  }
}

// replace gives a section new content. The focus and the scrolled positions stay.
function replace(section, html) {
  const focused = section.contains(document.activeElement) ? document.activeElement.id : "";
  const left = [...section.querySelectorAll(".scroll")].map((e) => e.scrollLeft);
  section.innerHTML = html;
  localize(section);
  section.querySelectorAll(".scroll").forEach((e, i) => { e.scrollLeft = left[i] ?? 0; });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
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
const url = document.body.dataset.live;
if (url) {
  // A page that nobody sees costs nothing.
  const toggle = () => {
    source?.close();
    source = null;
    if (!document.hidden) follow(url);
  };
  document.addEventListener("visibilitychange", toggle);
  toggle();
}
