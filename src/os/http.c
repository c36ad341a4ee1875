/* libmicrohttpd without threads: its epoll set is watched by our loop. See os/http.h.
 *
 * A request is suspended when it has been read whole and resumed when its page is there; the
 * library then asks again and gets the page.
 */

#include "os/http.h"

#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"

#define CONNECTIONS 64
#define CONNECTIONS_OF_ONE 16
#define PATIENCE_S 10
#define REQUEST_BYTES 8192
#define WHERE_MAX 128

/* What is used of the library. */
#define CALLS(X)               \
    X(MHD_start_daemon)        \
    X(MHD_stop_daemon)         \
    X(MHD_get_daemon_info)     \
    X(MHD_get_timeout)         \
    X(MHD_run)                 \
    X(MHD_suspend_connection)  \
    X(MHD_resume_connection)   \
    X(MHD_queue_response)      \
    X(MHD_add_response_header) \
    X(MHD_destroy_response)    \
    X(MHD_create_response_from_buffer)

struct calls {
#define X(name) __typeof__ (&(name))(name);
    CALLS(X)
#undef X
};

struct request {
    struct ho_list node; /* in waiting[] */
    struct MHD_Connection *conn;
    bool answered;
};

struct page {
    unsigned status;
    struct MHD_Response *response; /* NULL: none was set */
};

struct ho_os_http {
    struct calls mhd;
    void *library;
    struct MHD_Daemon *daemon;
    int fd;
    const char *const *paths;
    size_t n_paths;
    struct page pages[HO_OS_HTTP_PATHS];
    struct ho_list waiting[HO_OS_HTTP_PATHS];
    struct page not_found, not_allowed, not_ready;
    char where[WHERE_MAX];
};

/* ---- the library ----------------------------------------------------------------------------- */

static int load(struct ho_os_http *h, char *why)
{
    h->library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    if (h->library == NULL) {
        ho_os_why(why, "no libmicrohttpd here (package libmicrohttpd12): %s", dlerror());
        return -ENOPKG;
    }
    const struct {
        const char *name;
        void *to;
    } wanted[] = {
#define X(name) { #name, &h->mhd.name },
        CALLS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        void *found = dlsym(h->library, wanted[i].name);

        if (found == NULL) {
            ho_os_why(why, "libmicrohttpd has no %s", wanted[i].name);
            return -ENOPKG;
        }
        memcpy(wanted[i].to, &found, sizeof(found)); /* ISO C has no cast to a function */
    }
    return 0;
}

static struct MHD_Response *make_response(struct ho_os_http *h, const char *type, const void *bytes,
                                          size_t len)
{
    union {
        const void *from;
        void *to; /* the library takes what it copies as not const */
    } b = { .from = bytes };
    struct MHD_Response *r =
        h->mhd.MHD_create_response_from_buffer(len, b.to, MHD_RESPMEM_MUST_COPY);

    if (r != NULL &&
        h->mhd.MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES) {
        h->mhd.MHD_destroy_response(r);
        r = NULL;
    }
    return r;
}

static int make_page(struct ho_os_http *h, struct page *p, unsigned status, const char *words)
{
    *p = (struct page){ .status = status,
                        .response =
                            make_response(h, "text/plain; charset=utf-8", words, strlen(words)) };
    return p->response != NULL ? 0 : -ENOMEM;
}

/* ---- requests -------------------------------------------------------------------------------- */

static enum MHD_Result send_page(struct ho_os_http *h, struct MHD_Connection *conn,
                                 const struct page *p)
{
    return h->mhd.MHD_queue_response(conn, p->status, p->response);
}

static int path_of(const struct ho_os_http *h, const char *url)
{
    for (size_t i = 0; i < h->n_paths; i++) {
        if (strcmp(url, h->paths[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* The library's callback: a request whose head was read (*of is NULL), then each time that it goes
 * on.
 */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **of)
{
    struct ho_os_http *h = arg;
    struct request *r = *of;
    int path = path_of(h, url);

    (void)version;
    (void)upload;
    if (path < 0) {
        return send_page(h, conn, &h->not_found);
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return send_page(h, conn, &h->not_allowed);
    }
    if (r == NULL) {
        r = calloc(1, sizeof(*r));
        if (r == NULL) {
            return MHD_NO; /* the connection is closed */
        }
        r->conn = conn;
        *of = r;
        return MHD_YES;
    }
    if (*upload_len > 0) {
        *upload_len = 0; /* a body that nobody asked for */
        return MHD_YES;
    }
    if (!r->answered) {
        ho_list_push(&h->waiting[path], &r->node);
        h->mhd.MHD_suspend_connection(conn);
        return MHD_YES;
    }
    return send_page(h, conn, h->pages[path].response != NULL ? &h->pages[path] : &h->not_ready);
}

static void on_completed(void *arg, struct MHD_Connection *conn, void **of,
                         enum MHD_RequestTerminationCode code)
{
    struct request *r = *of;

    (void)arg;
    (void)conn;
    (void)code;
    if (r != NULL) {
        ho_list_remove(&r->node);
        free(r);
        *of = NULL;
    }
}

/* ---- listening ------------------------------------------------------------------------------- */

/* Cuts "HOST:PORT" and "[HOST]:PORT". Returns 0; -EINVAL. */
static int split(const char *where, char *host, size_t size, const char **ret_port)
{
    const char *colon = strrchr(where, ':');
    size_t len = colon != NULL ? (size_t)(colon - where) : 0;

    if (colon == NULL || len >= size || colon[1] == '\0' || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtol(colon + 1, NULL, 10) > 65535) {
        return -EINVAL;
    }
    if (len >= 2 && where[0] == '[' && colon[-1] == ']') {
        where++;
        len -= 2;
    } else if (memchr(where, ':', len) != NULL) {
        return -EINVAL; /* an IPv6 address without its brackets */
    }
    memcpy(host, where, len);
    host[len] = '\0';
    *ret_port = colon + 1;
    return 0;
}

static int bind_one(const struct addrinfo *a, bool both)
{
    int one = 1, only = !both;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -errno;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (a->ai_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    }
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, CONNECTIONS) != 0) {
        int err = -errno;

        (void)close(fd);
        return err;
    }
    return fd;
}

/* A listening socket, or a negative errno. */
static int open_socket(const char *where, char *why)
{
    char host[64];
    const char *port;
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                              .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    bool every;
    int fd = -EINVAL;

    if (split(where, host, sizeof(host), &port) == 0) {
        every = host[0] == '\0';
        hints.ai_family = every ? AF_INET6 : AF_UNSPEC;
        if (getaddrinfo(every ? NULL : host, port, &hints, &found) == 0) {
            fd = bind_one(found, every);
            freeaddrinfo(found);
        }
        hints.ai_family = AF_INET;
        if (every && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL || fd == -EINVAL) &&
            getaddrinfo(NULL, port, &hints, &found) == 0) { /* a kernel without IPv6 */
            fd = bind_one(found, false);
            freeaddrinfo(found);
        }
    }
    if (fd == -EINVAL) {
        ho_os_why(why, "'%s' is no address to listen at, as :9464, 127.0.0.1:9464 or [::1]:9464",
                  where);
    } else if (fd < 0) {
        ho_os_why(why, "%s: %s", where, strerror(-fd));
    }
    return fd;
}

static void put_where(struct ho_os_http *h, int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&a, &len) == 0 &&
        getnameinfo((struct sockaddr *)&a, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        (void)snprintf(h->where, sizeof(h->where), strchr(host, ':') ? "[%.64s]:%s" : "%.64s:%s",
                       host, port);
    }
}

/* Gives the socket to the library, which closes it at its end. */
static int start(struct ho_os_http *h, int fd, char *why)
{
    const union MHD_DaemonInfo *info;

    h->daemon = h->mhd.MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_OF_ONE,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)REQUEST_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_END);
    if (h->daemon == NULL) {
        (void)close(fd);
        ho_os_why(why, "libmicrohttpd does not start");
        return -ENOMEM;
    }
    info = h->mhd.MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    h->fd = info->epoll_fd;
    if (make_page(h, &h->not_found, MHD_HTTP_NOT_FOUND, "not here; see /metrics\n") != 0 ||
        make_page(h, &h->not_allowed, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n") != 0 ||
        make_page(h, &h->not_ready, MHD_HTTP_SERVICE_UNAVAILABLE, "nothing yet\n") != 0 ||
        h->mhd.MHD_add_response_header(h->not_allowed.response, MHD_HTTP_HEADER_ALLOW,
                                       "GET, HEAD") != MHD_YES) {
        return -ENOMEM;
    }
    return 0;
}

int ho_os_http_open(struct ho_os_http **ret, const char *where, const char *const *paths, size_t n,
                    char *why)
{
    struct ho_os_http *h = calloc(1, sizeof(*h));
    int err, fd;

    if (h == NULL) {
        ho_os_why(why, "out of memory");
        return -ENOMEM;
    }
    h->paths = paths;
    h->n_paths = n < HO_OS_HTTP_PATHS ? n : HO_OS_HTTP_PATHS;
    for (size_t i = 0; i < HO_OS_HTTP_PATHS; i++) {
        ho_list_init(&h->waiting[i]);
    }
    fd = open_socket(where, why); /* before the library: a wrong address is wrong without it */
    err = fd < 0 ? fd : load(h, why);
    if (err != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        goto fail;
    }
    put_where(h, fd);
    err = start(h, fd, why);
    if (err != 0) {
        goto fail;
    }
    *ret = h;
    return 0;

fail:
    ho_os_http_close(h);
    return err;
}

static void drop_page(struct ho_os_http *h, struct page *p)
{
    if (p->response != NULL) {
        h->mhd.MHD_destroy_response(p->response); /* who is being sent it keeps it until then */
        p->response = NULL;
    }
}

void ho_os_http_close(struct ho_os_http *h)
{
    if (h == NULL) {
        return;
    }
    if (h->daemon != NULL) {
        for (size_t i = 0; i < h->n_paths; i++) {
            ho_os_http_answer(h, i); /* the library must not be stopped with requests suspended */
        }
        h->mhd.MHD_stop_daemon(h->daemon);
    }
    for (size_t i = 0; i < HO_OS_HTTP_PATHS; i++) {
        drop_page(h, &h->pages[i]);
    }
    drop_page(h, &h->not_found);
    drop_page(h, &h->not_allowed);
    drop_page(h, &h->not_ready);
    if (h->library != NULL) {
        (void)dlclose(h->library);
    }
    free(h);
}

/* ---- the owner's side ------------------------------------------------------------------------ */

const char *ho_os_http_where(const struct ho_os_http *h)
{
    return h->where;
}

int ho_os_http_fd(const struct ho_os_http *h)
{
    return h->fd;
}

struct ho_time ho_os_http_deadline(struct ho_os_http *h, struct ho_time now)
{
    MHD_UNSIGNED_LONG_LONG ms;

    return h->mhd.MHD_get_timeout(h->daemon, &ms) == MHD_YES
               ? ho_time_add(now, ho_ms(ms < 3600000 ? (int64_t)ms : 3600000))
               : HO_NEVER;
}

void ho_os_http_run(struct ho_os_http *h)
{
    (void)h->mhd.MHD_run(h->daemon);
}

bool ho_os_http_asked(const struct ho_os_http *h, size_t path)
{
    return path < h->n_paths && !ho_list_empty(&h->waiting[path]);
}

int ho_os_http_page(struct ho_os_http *h, size_t path, unsigned status, const char *type,
                    const void *bytes, size_t len)
{
    struct MHD_Response *r = make_response(h, type, bytes, len);

    if (r == NULL) {
        return -ENOMEM;
    }
    drop_page(h, &h->pages[path]);
    h->pages[path] = (struct page){ .status = status, .response = r };
    return 0;
}

void ho_os_http_answer(struct ho_os_http *h, size_t path)
{
    struct ho_list *node = ho_list_shift(&h->waiting[path]);

    if (node == NULL) {
        return;
    }
    for (; node != NULL; node = ho_list_shift(&h->waiting[path])) {
        struct request *r = ho_container(node, struct request, node);

        r->answered = true;
        h->mhd.MHD_resume_connection(r->conn);
    }
    ho_os_http_run(h); /* a resumed request does not make the descriptor readable */
}
