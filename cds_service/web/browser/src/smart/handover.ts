// What one page hands to the next around the sign-in: the state and the PKCE verifier, never a token or a patient.
import type { Kept } from "./app_adapter";

// Until the user comes back from the sign-in there is no page of ours that could hold it in memory.
export const inThisTab: Kept = {
  async get(key) {
    const written = sessionStorage.getItem(key);
    return written === null ? null : JSON.parse(written);
  },
  async set(key, value) {
    sessionStorage.setItem(key, JSON.stringify(value));
    return value;
  },
  async unset(key) {
    const was = sessionStorage.getItem(key) !== null;
    sessionStorage.removeItem(key);
    return was;
  },
};

// What was handed over, moved into memory; the tab's storage is empty afterwards, and nothing goes back there.
export function takenOver(): Kept {
  const held = new Map<string, unknown>();
  for (let number = 0; number < sessionStorage.length; number += 1) {
    const key = sessionStorage.key(number);
    const written = key === null ? null : sessionStorage.getItem(key);
    if (key !== null && written !== null) held.set(key, read(written));
  }
  sessionStorage.clear();
  return {
    async get(key) {
      return held.get(key) ?? null;
    },
    async set(key, value) {
      held.set(key, value);
      return value;
    },
    async unset(key) {
      return held.delete(key);
    },
  };
}

function read(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return null;
  }
}
