// A program whose every request and answer is typed by the schema.

import { useFragment } from "../generated/codegen/fragment-masking.js";
import type { TypedDocumentString } from "../generated/codegen/graphql.js";
import * as forms from "./forms.js";

class Client {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async ask<Data, Variables>(document: TypedDocumentString<Data, Variables>, variables: Variables): Promise<Data> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: {
        accept: "application/graphql-response+json",
        authorization: `Bearer ${this.token}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ query: document, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: Data; errors?: { message: string }[] };
    if (errors || !data) throw new Error(`${response.status}: ${JSON.stringify(errors)}`);
    return data;
  }
}

function same<Value>(actual: Value, expected: Value, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}

export async function run(url: string, token: string): Promise<void> {
  const client = new Client(url, token);

  const { tenant } = await client.ask(forms.ReadForm, { by: { number: "108" } });
  const form = useFragment(forms.Form, tenant?.virtualExtension);
  if (!form) throw new Error("108 is there");
  const information = useFragment(forms.Information, form.information);
  const member: { number: string | null; name: string } | undefined = information.members[0];
  const seconds: number = information.inboundTimeoutSeconds;
  same(form.name, "Ivy Morgan", "the name");
  same([typeof member?.number, seconds > 0], ["string", true], "a member and the timeout");
  const { outboundMode: mode } = useFragment(forms.Security, form.security);
  // @ts-expect-error there is no such mode
  same(mode === "SOMETIMES", false, "the mode");
  const { department } = useFragment(forms.Note, form.note);
  // @ts-expect-error a fragment's fields are for who asks through the fragment
  same(form.note.department, department, "the note");
  // @ts-expect-error a number is a text
  const wrong = () => client.ask(forms.ReadForm, { by: { number: 108 } });
  // @ts-expect-error an object is asked for in one way
  const twice = () => client.ask(forms.ReadForm, { by: { number: "108", name: "Ivy Morgan" } });
  // @ts-expect-error the form has no such section
  const section = () => client.ask(forms.Create, { input: { notes: {} } });
  void [wrong, twice, section];

  const filter = { number: { startsWith: "1" } };
  const first = (await client.ask(forms.ReadPage, { first: 2, filter })).tenant?.virtualExtensions;
  const after = first?.pageInfo.endCursor ?? null;
  const second = (await client.ask(forms.ReadPage, { first: 2, after, filter })).tenant?.virtualExtensions;
  const numbers = [first, second].flatMap((page) => page?.edges.map(({ node }) => node.number));
  same([numbers.length, new Set(numbers).size, (first?.totalCount ?? 0) > 4], [4, 4, true], "two pages");

  // A destination goes back as it was read, but for the object behind it.
  const onBusy = useFragment(forms.AdditionalDestinations, form.additionalDestinations).onBusy.map(
    ({ objectId, number, hangup }) => ({ objectId, number, hangup }),
  );
  same([onBusy.length, typeof onBusy[0]?.objectId, onBusy[0]?.number], [1, "string", null], "where 108's calls go");
  const input = {
    information: { number: "150", name: "Typed" },
    additionalDestinations: { onBusyEnabled: true, onBusy },
    note: { department: "Sales" },
  };
  const { virtualExtensionCreate: created } = await client.ask(forms.Create, { input });
  same(useFragment(forms.Problems, created).userErrors, [], "what is wrong with the new extension");
  const made = useFragment(forms.Form, created.object);
  if (!made) throw new Error("150 is made");
  const copied = useFragment(forms.AdditionalDestinations, made.additionalDestinations).onBusy;
  same(copied[0]?.objectId, onBusy[0]?.objectId, "the destination that was sent back");
  // Left out, a field keeps its value; null clears it.
  const note = { id: made.id, expectedVersion: made.version, note: { branch: "Rome", department: null } };
  const { virtualExtensionNoteUpdate: updated } = await client.ask(forms.UpdateNote, { input: note });
  const saved = useFragment(forms.Note, useFragment(forms.Form, updated.object)?.note);
  same([saved?.branch, saved?.department], ["Rome", ""], "the saved note");
  // What a field held is a value, and its path is a list.
  const changes = updated.changes.map(({ path, before, after }) => [path.join("."), before, after]);
  same(changes, [["note.branch", "", "Rome"], ["note.department", "Sales", ""]], "what was changed");
  const { virtualExtensionNoteUpdate: stale } = await client.ask(forms.UpdateNote, { input: note });
  same(useFragment(forms.Problems, stale).userErrors[0]?.code, "CONFLICT", "a save of what has changed since");

  const { objectDelete: deleted } = await client.ask(forms.Delete, { input: { id: made.id } });
  same([deleted.deletedId, deleted.userErrors], [made.id, []], "what is gone");
}
