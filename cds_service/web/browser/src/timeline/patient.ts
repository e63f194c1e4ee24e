// Who the chart is about, as the record names the child; nothing is worked out from it.
import type { Resource } from "./chart_reading";

export interface Banner {
  readonly name: string;
  readonly born: string;
}

export function bannerOf(patient: Resource | undefined): Banner {
  const names = Array.isArray(patient?.["name"]) ? (patient["name"] as Record<string, unknown>[]) : [];
  const name = names.find((item) => item?.["use"] === "official") ?? names[0] ?? {};
  const given = Array.isArray(name["given"]) ? name["given"].filter((part) => typeof part === "string") : [];
  const family = typeof name["family"] === "string" ? name["family"] : "";
  const text = typeof name["text"] === "string" ? name["text"] : "";
  const born = patient?.["birthDate"];
  return {
    name: text || [...given, family].filter(Boolean).join(" "),
    born: typeof born === "string" ? born : "",
  };
}
