// The ref of a box whose content may be wider: then, and only then, the
// keyboard reaches it too, to scroll it.
export function scrollable(box: HTMLElement | null) {
  if (!box) return;
  const look = () => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  };
  const size = new ResizeObserver(look);
  size.observe(box);
  if (box.firstElementChild) size.observe(box.firstElementChild);
  return () => size.disconnect();
}
