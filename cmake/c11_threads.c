// For the tsan preset: libtsan of g++ 12 does not know C11's threads, which librdkafka is made with, and ends
// in its threads. As POSIX ones it knows them; in glibc they are the same (one size, one layout).
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

struct start {
  thrd_start_t function;
  void* argument;
};

static void* run(void* raw) {
  const struct start start = *(struct start*)raw;
  free(raw);
  return (void*)(intptr_t)start.function(start.argument);
}

static int result(int error) {
  return error == 0 ? thrd_success : thrd_error;
}

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  struct start* start = malloc(sizeof(*start));
  if (start == NULL) return thrd_nomem;
  *start = (struct start){function, argument};
  const int error = pthread_create(thread, NULL, run, start);
  if (error != 0) free(start);
  return result(error);
}
int thrd_join(thrd_t thread, int* code) {
  void* returned = NULL;
  const int error = pthread_join(thread, &returned);
  if (code != NULL) *code = (int)(intptr_t)returned;
  return result(error);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes,
                            (type & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
  return result(pthread_mutex_init((pthread_mutex_t*)mutex, &attributes));
}
void mtx_destroy(mtx_t* mutex) {
  pthread_mutex_destroy((pthread_mutex_t*)mutex);
}
int mtx_lock(mtx_t* mutex) {
  return result(pthread_mutex_lock((pthread_mutex_t*)mutex));
}
int mtx_unlock(mtx_t* mutex) {
  return result(pthread_mutex_unlock((pthread_mutex_t*)mutex));
}

int cnd_init(cnd_t* condition) {
  return result(pthread_cond_init((pthread_cond_t*)condition, NULL));
}
void cnd_destroy(cnd_t* condition) {
  pthread_cond_destroy((pthread_cond_t*)condition);
}
int cnd_signal(cnd_t* condition) {
  return result(pthread_cond_signal((pthread_cond_t*)condition));
}
int cnd_broadcast(cnd_t* condition) {
  return result(pthread_cond_broadcast((pthread_cond_t*)condition));
}
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return result(pthread_cond_wait((pthread_cond_t*)condition, (pthread_mutex_t*)mutex));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* until) {
  const int error = pthread_cond_timedwait((pthread_cond_t*)condition, (pthread_mutex_t*)mutex, until);
  return error == ETIMEDOUT ? thrd_timedout : result(error);
}
