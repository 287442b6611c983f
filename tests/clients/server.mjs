// Where the server is that a suite talks to; `tests/it/clients.rs` starts one and says it.

export const URL = process.env.VEXT_TEST_URL ?? "http://127.0.0.1:8080/graphql";
export const TOKEN = process.env.VEXT_TEST_TOKEN ?? "T";
