/* A small HTTP server for a few pages that are made when they are asked for.
 *
 * It is GNU libmicrohttpd, single-threaded, behind an interface that is pulled: a request waits
 * until whoever owns the server has a page for it.
 *
 *     ho_os_http_open(&h, ":9464", paths, n, why);
 *     ho_os_loop_add(loop, ho_os_http_fd(h), HO_OS_IN, tag);
 *     for (;;) {
 *         ho_os_loop_wait(loop, events, 1, ho_os_http_deadline(h, ho_os_now()));
 *         ho_os_http_run(h);
 *         for (i = 0; i < n; i++)
 *             if (ho_os_http_asked(h, i)) {
 *                 ho_os_http_page(h, i, 200, "text/plain", bytes, len);   where it has changed
 *                 ho_os_http_answer(h, i);
 *             }
 *     }
 *
 * GET and HEAD of a path of the list are asked; another path is 404, another method 405. Bodies
 * are not taken. A client that neither sends nor reads for 10 s is let go; 64 connections at a
 * time, 16 of one address; further ones wait in the kernel's queue or are closed.
 *
 * The library is loaded by ho_os_http_open() and not linked (docs/decisions/040): it brings TLS,
 * which takes every start of the program 8 ms.
 */

#ifndef HO_OS_HTTP_H
#define HO_OS_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"
#include "os/why.h"

#define HO_OS_HTTP_PATHS 4

struct ho_os_http;

/* Listens at `where`: ":9464" (every address, IPv6's and IPv4's), "127.0.0.1:9464" or
 * "[::1]:9464"; port 0: the system chooses. The `n` paths (at most HO_OS_HTTP_PATHS, each with its
 * leading slash) must stay.
 *
 * Returns 0 with *ret to be closed; -EINVAL: no address and port; -ENOPKG: no libmicrohttpd here;
 * -EADDRINUSE, -EADDRNOTAVAIL, -EACCES and other errnos of bind(2); -ENOMEM. `why` (HO_OS_WHY
 * bytes) has it in words.
 */
int ho_os_http_open(struct ho_os_http **ret, const char *where, const char *const *paths, size_t n,
                    char *why);

/* Ends every connection. */
void ho_os_http_close(struct ho_os_http *h);

/* "127.0.0.1:9464": where it listens, with the port that the system chose. */
const char *ho_os_http_where(const struct ho_os_http *h);

/* Readable when there is something to do; the server's own. */
int ho_os_http_fd(const struct ho_os_http *h);

/* When ho_os_http_run() is due even if the descriptor is quiet. */
struct ho_time ho_os_http_deadline(struct ho_os_http *h, struct ho_time now);

/* Does what can be done without waiting. */
void ho_os_http_run(struct ho_os_http *h);

/* Whether somebody waits for the path of that index. */
bool ho_os_http_asked(const struct ho_os_http *h, size_t path);

/* Sets what a path answers from now on; the bytes are copied, once, however many get them.
 * Returns 0; -ENOMEM with the page of before.
 */
int ho_os_http_page(struct ho_os_http *h, size_t path, unsigned status, const char *type,
                    const void *bytes, size_t len);

/* Lets all who wait for the path have its page; 503 if none was set. */
void ho_os_http_answer(struct ho_os_http *h, size_t path);

#endif
