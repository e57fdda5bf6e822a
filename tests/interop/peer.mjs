// Signs and verifies with jose. The lines in and out are those of peer.py.
import { createInterface } from "node:readline";
import { SignJWT, compactVerify, importJWK } from "jose";

async function answer(call) {
  let key;
  try {
    key = await importJWK(call.key, call.alg);
  } catch (error) {
    return { unsupported: String(error) };
  }
  if (call.op === "sign") {
    try {
      return { token: await new SignJWT(call.claims).setProtectedHeader({ alg: call.alg }).sign(key) };
    } catch (error) {
      return { unsupported: String(error) };
    }
  }
  try {
    const verified = await compactVerify(call.token, key, { algorithms: [call.alg] });
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(verified.payload));
    return { accepted: true };
  } catch {
    return { accepted: false };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
}
