/** The parts of elfy 1.0.0 that can be relied on; see container.ts for those that cannot. */
declare module 'elfy' {
  export interface ElfyFile {
    body: { sections: ElfySection[] };
  }
  export interface ElfySection {
    name: string;
    off: number;
    size: number;
    link: number;
    info: number;
    data: Buffer;
  }
  const elfy: { parse(bytes: Buffer): ElfyFile };
  export default elfy;
}
