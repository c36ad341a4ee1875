/* The time of day, for what people and log collectors read. Nothing is computed from it. */

#ifndef HO_OS_WALL_H
#define HO_OS_WALL_H

#include <stdint.h>

#define HO_OS_WALL_TEXT 32

/* Milliseconds since 1970 (CLOCK_REALTIME). */
int64_t ho_os_wall_ms(void);

/* "2026-11-21T22:06:00.123Z" (RFC 3339) into `buf` of HO_OS_WALL_TEXT bytes. Returns buf. */
const char *ho_os_wall_utc(int64_t ms, char *buf);

/* "22:06:00", in the machine's time zone. Returns buf. */
const char *ho_os_wall_clock(int64_t ms, char *buf);

#endif
