export interface ModuleOptions {
  /** TypeScript, JavaScript for a loader hook, or the declarations that go with the latter. @default 'typescript' */
  readonly form?: ModuleForm;
  /** Where the module finds the object: `'beside'` it, at `path`, or in it as `bytes`. */
  readonly source: ObjectSource;
  /** What the module imports its run time from. @default 'ts-xdp/gen-runtime' */
  readonly runtime?: string;
  /** The file's name, for the first lines and for hints. */
  readonly objectName: string;
  /** The command that makes the module again. */
  readonly regenerate: string;
}

export type ModuleForm = 'typescript' | 'javascript' | 'declaration';
export type ObjectSource =
  | { readonly kind: 'beside'; readonly path: string }
  | { readonly kind: 'embedded'; readonly bytes: Uint8Array };
