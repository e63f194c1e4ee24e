import MarkdownIt from "markdown-it";
import { webAddress } from "./card";

// No HTML, no pictures, no addresses made into links by themselves; the page's policy allows no style attributes either.
const markdown = new MarkdownIt({ html: false, linkify: false }).disable("image");

markdown.validateLink = (address) => webAddress(address) !== undefined;
markdown.core.ruler.push("no_style_attributes", (state) => {
  for (const token of state.tokens) {
    const style = token.attrGet("style");
    if (style === null) continue;
    token.attrs = (token.attrs ?? []).filter(([name]) => name !== "style");
    token.attrJoin("class", String(style).replace("text-align:", "align-"));
  }
});
markdown.renderer.rules["link_open"] = (tokens, index, options, _environment, renderer) => {
  const token = tokens[index];
  token?.attrSet("target", "_blank");
  token?.attrSet("rel", "noopener noreferrer");
  return renderer.renderToken(tokens, index, options);
};
// A wide table scrolls inside its own box.
markdown.renderer.rules["table_open"] = () => '<div class="table-box" tabindex="0" role="group" aria-label="Table"><table>\n';
markdown.renderer.rules["table_close"] = () => "</table></div>\n";

/** Put a card's Markdown into an element. */
export function showMarkdown(place: HTMLElement, written: string): void {
  place.innerHTML = markdown.render(written);
}
