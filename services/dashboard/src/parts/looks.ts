// Calls back at once, and again whenever what is drawn on an element by its size
// and its colours is to be drawn anew. Answers with what ends that.
export function whenItLooksOtherwise(element: Element, redraw: () => void) {
  // It tells of the size that the element has at first, too.
  const size = new ResizeObserver(redraw);
  size.observe(element);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', redraw);
  // The theme may be chosen by hand.
  const theme = new MutationObserver(redraw);
  theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    size.disconnect();
    theme.disconnect();
    dark.removeEventListener('change', redraw);
  };
}
