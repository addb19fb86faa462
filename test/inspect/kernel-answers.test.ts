/** Answers of the kernel that it cannot be made to give on demand. */
import t from 'tap';
import { enableStatistics, openIfThere } from '../../src/inspect/index.ts';
import { errno } from '../../src/sys/index.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';

t.test('a kernel before 5.8 is told from other refusals', (t) => {
  const refused = (number: number): unknown =>
    thrown(() => enableStatistics(new RecordingKernel(() => -number)));
  t.match(refused(errno.EINVAL), {
    code: 'UNSUPPORTED_FEATURE',
    message:
      'Cannot count the runs of programs: this kernel has no statistics by descriptor (since Linux 5.8)',
  });
  t.match(refused(errno.EPERM), { code: 'PERMISSION_DENIED' });
  t.match(refused(errno.EBADF), { code: 'SYSCALL_FAILED' });
  t.end();
});

t.test('a link that is gone, or not yet one, is left out of lists', (t) => {
  for (const number of [errno.ENOENT, errno.EAGAIN])
    t.equal(openIfThere(new RecordingKernel(() => -number), 'link', 7), undefined);
  t.match(
    thrown(() => openIfThere(new RecordingKernel(() => -errno.EPERM), 'link', 7)),
    { code: 'PERMISSION_DENIED' },
  );
  t.end();
});
