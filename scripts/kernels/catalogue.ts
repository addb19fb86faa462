/** The kernels of Debian that can be booted, and what each is made of. */

export interface KernelSource {
  readonly kernel: string;
  /** The release of Debian that has it. */
  readonly suite: string;
  /** One package for each pattern, the newest of those that fit. */
  readonly packages: readonly RegExp[];
}

export const KERNELS = [
  {
    kernel: '5.10',
    suite: 'bullseye',
    packages: [/^linux-image-5\.10\.0-\d+-cloud-amd64$/],
  },
  {
    kernel: '6.1',
    suite: 'bookworm',
    packages: [/^linux-image-6\.1\.0-\d+-cloud-amd64$/],
  },
  {
    kernel: '6.12',
    suite: 'trixie',
    packages: [/^linux-image-6\.12\.\d+\+deb13-cloud-amd64$/],
  },
  {
    kernel: '7.2',
    suite: 'sid',
    packages: [
      /^linux-base-7\.2\.\d+\+deb14[.\d]*-cloud-amd64$/,
      /^linux-binary-7\.2\.\d+\+deb14[.\d]*-cloud-amd64$/,
      /^linux-modules-7\.2\.\d+\+deb14[.\d]*-cloud-amd64$/,
    ],
  },
] as const satisfies readonly KernelSource[];

export type KernelName = (typeof KERNELS)[number]['kernel'];

export function isKernelName(text: string): text is KernelName {
  return KERNELS.some(({ kernel }) => kernel === text);
}
