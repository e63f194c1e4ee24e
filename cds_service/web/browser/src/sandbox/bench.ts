import type { Card, Coding, Link, Suggestion } from "../cards/card";
import { webAddress } from "../cards/card";
import { type CardHandling, cardView, withoutNeedlessButtons } from "../cards/card_view";
import { byId, byIdOf, element } from "../dom";
import { asCurl } from "./curl";
import { carryOut, writtenSuggestion } from "./draft_orders";
import { type Json, JsonFault, items, member, readJson, textOf, writtenJson } from "./json_text";
import type { Choice } from "./picker";
import {
  type Answer,
  type DemoService,
  type Prefetch,
  accepted,
  cardsIn,
  faultOf,
  overridden,
} from "./service";

/** The request of a choice, the call, and what comes back, as the page shows them. */
export class Bench {
  readonly #request = byIdOf("request", HTMLTextAreaElement);
  #choice: Choice | undefined;
  #answer: Answer | undefined;
  #underWay = new AbortController();

  constructor(readonly service: DemoService) {
    byId("send").addEventListener("click", () => void this.#send());
    byId("reset").addEventListener("click", () => void this.#begin());
    byId("copy").addEventListener("click", () => void this.#copy());
    for (const option of this.#prefetchOptions()) option.addEventListener("change", () => void this.#begin());
    this.#request.addEventListener("input", () => this.#sayWhatIsNoJson(undefined));
  }

  /** Look at another scenario: fetch its request and send it. */
  async show(choice: Choice): Promise<void> {
    this.#choice = choice;
    await this.#begin();
  }

  async #begin(): Promise<void> {
    if (this.#choice === undefined) return;
    const { scenario, child, moment, proves } = this.#choice;
    const { signal } = this.#newCall();
    // No card may stand under the name of another child, not even while the next answer is awaited.
    this.#answer = undefined;
    for (const place of ["cards", "fault", "answer-line"]) byId(place).replaceChildren();
    byId("address").textContent = `POST ${this.service.address(scenario.name)}`;
    byId("story").textContent = child?.story ?? scenario.name;
    byId("look").textContent = moment?.look ?? proves;
    await this.#orFault(signal, async () => {
      const request = readJson(await this.service.request(scenario.name, this.#prefetch(), signal));
      this.#request.value = writtenJson(request);
      // The words of a fixture's patient come with its prefetch; without it the banner keeps what it shows.
      if (member(request, "prefetch") !== undefined) showPatient(member(member(request, "prefetch"), "patient"));
      await this.#call(signal);
    });
  }

  async #send(): Promise<void> {
    const { signal } = this.#newCall();
    if (this.#readRequest() !== undefined) await this.#orFault(signal, () => this.#call(signal));
  }

  /** The request as it stands; where it is no JSON that is said, and the cursor put there. */
  #readRequest(): Json | undefined {
    try {
      const request = readJson(this.#request.value);
      this.#sayWhatIsNoJson(undefined);
      return request;
    } catch (fault) {
      if (!(fault instanceof JsonFault)) throw fault;
      this.#sayWhatIsNoJson(fault);
      return undefined;
    }
  }

  #sayWhatIsNoJson(fault: JsonFault | undefined): void {
    byId("request-fault").textContent = fault?.message ?? "";
    if (fault === undefined) {
      this.#request.removeAttribute("aria-invalid");
      return;
    }
    this.#request.setAttribute("aria-invalid", "true");
    this.#request.focus();
    this.#request.setSelectionRange(fault.position, fault.position + 1);
  }

  async #call(signal: AbortSignal): Promise<void> {
    if (this.#choice === undefined) return;
    const before = this.#answer;
    const answer = await this.service.call(this.#choice.scenario.name, this.#request.value, signal);
    if (signal.aborted) return;
    this.#answer = answer;
    this.#showAnswer(answer, before);
  }

  #showAnswer(answer: Answer, before: Answer | undefined): void {
    const size = `${answer.status} ${answer.statusText} · ${answer.milliseconds.toFixed(0)} ms · ${sizeOf(answer.text)}`;
    byId("response-size").textContent = size;
    byId("response").textContent = indented(answer.text);
    byId("fault").replaceChildren();
    if (answer.status !== 200) {
      byId("answer-line").textContent = size;
      byId("cards").replaceChildren();
      byId("fault").append(element("strong", {}, `The service refused this call (${answer.status}).`), ` ${faultOf(answer.text)}`);
      return;
    }
    const cards = cardsIn(answer);
    byId("answer-line").textContent = `${counted(cards)}${comparedWith(before, cards)} · ${size}`;
    byId("cards").replaceChildren(...(cards.length ? cards.map((card) => cardView(card, this.#handling())) : [nothing()]));
    withoutNeedlessButtons(byId("cards"));
  }

  #handling(): CardHandling {
    return {
      accept: (card, suggestion) => this.#accept(card, suggestion),
      override: (card, reason, comment) => this.#override(card, reason, comment),
      launchAddress: (link) => this.#launchAddress(link),
    };
  }

  async #accept(card: Card, suggestion: Suggestion): Promise<HTMLElement> {
    const said = await this.#feedback(accepted(card.uuid ?? "", suggestion.uuid ?? ""));
    const written = this.#answer && writtenSuggestion(this.#answer.text, suggestion);
    const request = this.#readRequest();
    if (written !== undefined && request !== undefined && carryOut(request, written)) {
      this.#request.value = writtenJson(request);
      said.append(
        element("p", {}, "The draft orders of the request have been changed as suggested. Send it again to see what remains."),
        this.#sendAgain(),
      );
    }
    if (written !== undefined) said.append(resources(written));
    return said;
  }

  async #override(card: Card, reason: Coding | undefined, comment: string): Promise<HTMLElement> {
    const said = await this.#feedback(overridden(card.uuid ?? "", reason, comment));
    said.append(
      element(
        "p",
        {},
        "Send it again: the service may keep this card quiet now. It never does so for a critical finding, or once the data have changed.",
      ),
      this.#sendAgain(),
    );
    return said;
  }

  async #feedback(body: string): Promise<HTMLElement> {
    if (this.#choice === undefined) throw new Error("nothing has been chosen; choose a child first");
    const { name } = this.#choice.scenario;
    const answer = await this.service.feedback(name, body);
    if (answer.status !== 200) throw new Error(`Not stored (${answer.status}): ${faultOf(answer.text)}`);
    return element(
      "div",
      {},
      element("p", { class: "stored" }, `Feedback stored: the service answered ${answer.status}.`),
      disclosed("What was sent", `POST ${this.service.address(name)}/feedback\n\n${body}`),
    );
  }

  #sendAgain(): HTMLElement {
    const button = element("button", { type: "button" }, "Send again");
    button.addEventListener("click", () => {
      byId("cards").focus();
      void this.#send();
    });
    return button;
  }

  /** As an EHR opens an app: with the FHIR server, and a handle of this launch that says nothing itself. */
  #launchAddress(link: Link): string | undefined {
    const address = webAddress(link.url);
    if (address === undefined || this.#choice === undefined) return undefined;
    address.searchParams.set("iss", this.#choice.scenario.fhirServer);
    address.searchParams.set("launch", crypto.randomUUID());
    return address.href;
  }

  async #copy(): Promise<void> {
    if (this.#choice === undefined || this.#readRequest() === undefined) return;
    const command = asCurl(this.service.address(this.#choice.scenario.name), this.#request.value);
    try {
      await navigator.clipboard.writeText(command);
      byId("copied").textContent = "Copied. Paste it into a shell.";
    } catch {
      byId("copied").textContent = "The browser does not let this page copy; serve it from this machine's address.";
    }
  }

  #prefetchOptions(): NodeListOf<HTMLInputElement> {
    return document.querySelectorAll<HTMLInputElement>('input[name="prefetch"]');
  }

  #prefetch(): Prefetch {
    return [...this.#prefetchOptions()].some((option) => option.checked && option.value === "none") ? "none" : "sent";
  }

  #newCall(): AbortController {
    this.#underWay.abort();
    this.#underWay = new AbortController();
    byId("copied").textContent = "";
    return this.#underWay;
  }

  async #orFault(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    const place = byId("sandbox");
    place.setAttribute("aria-busy", "true");
    try {
      await act();
    } catch (fault) {
      if (signal.aborted) return;
      byId("cards").replaceChildren();
      byId("answer-line").textContent = "";
      const said = fault instanceof TypeError ? "The service does not answer; is it still running?" : String(fault);
      byId("fault").replaceChildren(said);
    } finally {
      if (!signal.aborted) place.removeAttribute("aria-busy");
    }
  }
}

function showPatient(patient: Json | undefined): void {
  if (member(patient, "resourceType") === undefined) {
    byId("patient-name").textContent = "No patient in this request";
    byId("patient-facts").textContent = "";
    return;
  }
  const [name] = items(member(patient, "name"));
  const facts = [
    textOf(member(patient, "birthDate")) && `born ${textOf(member(patient, "birthDate"))}`,
    textOf(member(patient, "gender")),
    "synthetic",
  ];
  byId("patient-name").textContent = textOf(member(name, "text")) || "A patient without a name";
  byId("patient-facts").textContent = facts.filter(Boolean).join(" · ");
}

function nothing(): HTMLElement {
  return element(
    "div",
    { class: "panel nothing" },
    element("p", {}, element("strong", {}, "No card.")),
    element(
      "p",
      {},
      "The service looked and has nothing to say: this is not about its product, or nothing is due. " +
        "An EHR shows nothing then, and the user is not interrupted. It is no statement that all is well.",
    ),
  );
}

const LEVELS = ["critical", "warning", "info"] as const;

function counted(cards: readonly Card[]): string {
  const parts = LEVELS.map((level) => [cards.filter((card) => card.indicator === level).length, level] as const)
    .filter(([number]) => number > 0)
    .map(([number, level]) => `${number} ${level}`);
  return `${cards.length} ${cards.length === 1 ? "card" : "cards"}${parts.length ? `: ${parts.join(", ")}` : ""}`;
}

/** Which cards of the answer before do not come again, where this is the same call once more. */
function comparedWith(before: Answer | undefined, cards: readonly Card[]): string {
  if (before === undefined || before.status !== 200) return "";
  const now = new Set(cards.map((card) => card.uuid));
  const earlier = cardsIn(before);
  const isSameCall = earlier.some((card) => now.has(card.uuid));
  const gone = earlier.filter((card) => !now.has(card.uuid)).length;
  return isSameCall && gone > 0 ? ` (${gone} of before not shown again)` : "";
}

/** What an EHR would now have: each order that is created or changed, and the name of one that is taken back. */
function resources(written: Json): HTMLElement {
  const box = element("div", {});
  for (const action of items(member(written, "actions"))) {
    const resource = member(action, "resource");
    const title = `${textOf(member(action, "type"))}: ${textOf(member(action, "description"))}`;
    box.append(disclosed(title, resource === undefined ? textOf(member(action, "resourceId")) : writtenJson(resource)));
  }
  return box;
}

function disclosed(title: string, text: string): HTMLElement {
  const shown = element("pre", { tabindex: "0", "aria-label": title }, text);
  return element("details", {}, element("summary", {}, title), shown);
}

function indented(text: string): string {
  try {
    return writtenJson(readJson(text));
  } catch {
    return text;
  }
}

function sizeOf(text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  return bytes < 1000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(1)} kB`;
}
