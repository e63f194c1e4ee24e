const END = "END_OF_REQUEST";

/** A command for a POSIX shell that sends exactly this body; the shell changes nothing in it. */
export function asCurl(address: string, body: string): string {
  return [
    `curl --silent --show-error --header 'Content-Type: application/json' --data-binary @- \\`,
    ` '${address.replaceAll("'", "%27")}' <<'${END}'`,
    body.replace(/\n+$/, ""),
    END,
    "",
  ].join("\n");
}
