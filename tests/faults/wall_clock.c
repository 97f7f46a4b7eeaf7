/* A wall clock that is wrong by as many seconds as a file says, for every process that this is preloaded into.

   The monotonic clock and files' times stay right. The file holds one int64_t, and is mapped: a new number is
   seen by all at once. Written because libfaketime 0.9.10 (Debian 12) cannot do this: with the monotonic clock
   left alone its clock_nanosleep fails, which is Python's sleep, and it hangs beside jemalloc, which is Redis's.
   Not translated: pthread_cond_timedwait, and waits that are under way when the number changes. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *wrong_by_s;

__attribute__((constructor)) static void map_file(void) {
  const char *path = getenv("WALL_CLOCK_FILE");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *wrong_by_s, PROT_READ, MAP_SHARED, file, 0);
  if (page == MAP_FAILED)
    _exit(127); /* a clock that silently went right would prove nothing */
  close(file);
  wrong_by_s = page;
}

static int64_t offset_s(void) {
  return wrong_by_s ? *wrong_by_s : 0; /* none yet: another library asks while it is loaded */
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += offset_s();
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int failed = (int)syscall(SYS_gettimeofday, now, zone);
  if (!failed)
    now->tv_sec += offset_s();
  return failed;
}

time_t time(time_t *into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (into)
    *into = now.tv_sec;
  return now.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
  return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict end) {
  struct timespec right = *end;
  right.tv_sec -= offset_s();
  return sem_clockwait(semaphore, CLOCK_REALTIME, &right);
}
