/* A piece of a test that runs in a room, as root and as an ordinary user.
 *
 *     static int body(void *arg) { ROOM_CHECK(ho_os_now().ns > 0); return 0; }
 *     assert_int_equal(in_room(IN_ROOM_ROOT, body, NULL), 0);
 *
 * main() asks in_room_allowed() first and returns 77 where namespaces are forbidden.
 */

#ifndef HO_SUPPORT_IN_ROOM_H
#define HO_SUPPORT_IN_ROOM_H

#include <stdbool.h>

enum in_room_form {
    IN_ROOM_ROOT, /* as the user who runs the test */
    IN_ROOM_USER  /* as an ordinary one (uid 65534), in a user namespace */
};

/* Inside: ends the room with status 1 and says where. */
#define ROOM_CHECK(cond)                               \
    do {                                               \
        if (!(cond)) {                                 \
            in_room_failed(__FILE__, __LINE__, #cond); \
        }                                              \
    } while (0)

_Noreturn void in_room_failed(const char *file, int line, const char *what);

/* Becomes the ordinary user for good; does nothing for who is one already. To be called in a
 * child.
 */
void in_room_become_user(void);

/* Runs body(arg) in a room made by a child of the test. Returns what body returned; 128 + signal if
 * it was killed; 99 if there is no room, with the reason on stderr.
 */
int in_room(enum in_room_form form, int (*body)(void *arg), void *arg);

/* Are rooms allowed in this form? Prints why not. */
bool in_room_allowed(enum in_room_form form);

#endif
