/* What a real command finds around it: directory, users, /etc/hosts and /etc/passwd, environment.
 *
 * One file system in memory for all commands of a play, mounted in the room over a directory that
 * programs expect to be such a thing anyway (/dev/shm: what they share there is gone, too). In it
 * each process of the plan has a directory of its own name.
 */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/service_state.h"
#include "os/room.h"
#include "wire/addr.h"

#define GUEST "guest"
#define GUEST_ID 65532 /* nobody's: systemd.io/UIDS-GIDS lists it as unused */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* --- /etc ------------------------------------------------------------------------------------ */

/* The addresses of the family in play only: nobody shall try the other one first. */
static int write_hosts(struct ho_services *s)
{
    struct ho_text t = { 0 };
    char addr[HO_ADDR_TEXT];

    ho_text_put(&t, "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    for (size_t i = 0; i < s->plan->node_count; i++) {
        const struct ho_plan_node *n = &s->plan->nodes[i];
        for (unsigned k = 0; n->kind == HO_NODE_HOST && k < n->addr_count; k++) {
            if (ho_addr_is_v4(&n->addr[k].addr) == (s->plan->family == HO_FAMILY_V4)) {
                ho_text_printf(&t, "%s %s\n", ho_addr_text(&n->addr[k].addr, addr), n->name);
            }
        }
    }
    int err = ho_text_err(&t);
    err = err == 0 ? ho_os_room_hosts(ho_text_str(&t)) : err;
    ho_text_free(&t);
    if (err != 0) {
        (void)snprintf(s->why, sizeof(s->why), "cannot make a private /etc/hosts: %s",
                       strerror(-err));
    }
    return err;
}

/* Is there only one user here, as in the user namespace of an ordinary user? */
static bool only_one_user(void)
{
    unsigned long inside = 0, outside = 0, count = 0;
    FILE *f = fopen("/proc/self/uid_map", "re");
    bool one = f != NULL && fscanf(f, "%lu %lu %lu", &inside, &outside, &count) == 3 && count == 1;

    if (f != NULL) {
        (void)fclose(f);
    }
    return one || geteuid() != 0;
}

static void append_file(struct ho_text *t, const char *path)
{
    char line[1024];
    FILE *f = fopen(path, "re");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        ho_text_put(t, line);
    }
    if (f != NULL) {
        (void)fclose(f);
    }
}

/* Who the commands are if nobody else is named. */
static struct ho_service_user owner(const struct ho_services *s)
{
    bool other = s->uid != 0;

    return (struct ho_service_user){ .change = other,
                                     .uid = other ? s->uid : geteuid(),
                                     .gid = other ? s->gid : getegid() };
}

/* The guest is the first: where there is only one user, that one is called so. */
static int write_passwd(struct ho_services *s)
{
    const struct ho_service_user me = owner(s);
    struct ho_text t = { 0 };

    ho_text_printf(&t, "%s:x:%u:%u:%s:%s:/bin/sh\n", GUEST,
                   s->one_user ? (unsigned)me.uid : GUEST_ID,
                   s->one_user ? (unsigned)me.gid : GUEST_ID, GUEST, s->home);
    append_file(&t, "/etc/passwd");
    int err = ho_text_err(&t);
    err = err == 0 ? ho_os_room_file("/etc/passwd", ho_text_str(&t)) : err;
    ho_text_free(&t);
    if (err != 0) {
        (void)snprintf(s->why, sizeof(s->why), "cannot make a private /etc/passwd: %s",
                       strerror(-err));
    }
    return err;
}

int ho_service_furnish(struct ho_services *s)
{
    static const char *const dirs[] = { "/dev/shm", "/mnt", "/media", "/srv", NULL };
    const char *dir = NULL;
    int err = ho_os_room_memory(dirs, &dir);

    if (err != 0) {
        (void)snprintf(s->why, sizeof(s->why), "cannot make a directory in memory: %s",
                       strerror(-err));
        return err;
    }
    (void)snprintf(s->home, sizeof(s->home), "%s", dir);
    s->one_user = s->uid != 0 || only_one_user();
    err = write_hosts(s);
    return err == 0 ? write_passwd(s) : err;
}

/* --- whom, where ----------------------------------------------------------------------------- */

/* Only root can become another one: anybody else runs everything as himself. */
int ho_service_find_user(struct ho_services *s, uint16_t proc, const char *name,
                         struct ho_service_user *ret)
{
    *ret = owner(s);
    const struct passwd *p = name != NULL ? getpwnam(name) : getpwuid(ret->uid);

    if (p == NULL && name != NULL) {
        return ho_service_fail(s, proc, -EINVAL, "there is no user '%s' on this machine", name);
    }
    (void)snprintf(ret->name, sizeof(ret->name), "%s", p != NULL ? p->pw_name : GUEST);
    if (name != NULL && !s->one_user) {
        ret->uid = p->pw_uid;
        ret->gid = p->pw_gid;
        ret->change = true;
    }
    return 0;
}

int ho_service_home(struct ho_services *s, uint16_t proc, const struct ho_service_user *user,
                    char *path)
{
    char name[64];

    (void)snprintf(path, HO_SERVICE_PATH, "%s/%s", s->home,
                   ho_service_name(s, proc, name, sizeof(name)));
    if ((mkdir(path, 0755) != 0 && errno != EEXIST) ||
        (user->change && chown(path, user->uid, user->gid) != 0)) {
        int err = -errno;
        return ho_service_fail(s, proc, err, "cannot make its directory: %s", strerror(-err));
    }
    return 0;
}

bool ho_service_in_path(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];

    for (const char *p = path != NULL && path[0] != '\0' ? path : DEFAULT_PATH; *p != '\0';) {
        size_t len = strcspn(p, ":");
        if (snprintf(file, sizeof(file), "%.*s/%s", (int)len, p, name) < (int)sizeof(file) &&
            access(file, F_OK) == 0) {
            return true;
        }
        p += len + (p[len] == ':');
    }
    return false;
}

/* --- environment ----------------------------------------------------------------------------- */

struct env_writer {
    struct ho_service_env *env;
    size_t used, count;
    bool full;
};

__attribute__((format(printf, 2, 3))) static void put_var(struct env_writer *w, const char *format,
                                                          ...)
{
    const size_t room = sizeof(w->env->text) - w->used;
    va_list args;

    va_start(args, format);
    int n = vsnprintf(w->env->text + w->used, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room || w->count == HO_SERVICE_ENV) {
        w->full = true;
        return;
    }
    w->env->var[w->count++] = w->env->text + w->used;
    w->env->var[w->count] = NULL;
    w->used += (size_t)n + 1;
}

int ho_service_env(struct ho_services *s, uint16_t proc, const struct ho_service_user *user,
                   const char *home, struct ho_service_env *ret)
{
    struct env_writer w = { .env = ret };
    const char *path = getenv("PATH");

    ret->var[0] = NULL;
    put_var(&w, "PATH=%s", path != NULL && path[0] != '\0' ? path : DEFAULT_PATH);
    put_var(&w, "HOME=%s", home);
    put_var(&w, "USER=%s", user->name);
    put_var(&w, "LOGNAME=%s", user->name);
    put_var(&w, "LANG=C");
    put_var(&w, "PAGER=cat");
    put_var(&w, "TZ=UTC");
    return w.full ? ho_service_fail(s, proc, -E2BIG, "PATH is longer than %zu bytes",
                                    sizeof(ret->text))
                  : 0;
}
