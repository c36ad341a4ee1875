/* Texts of /proc of any bytes (os/procfs.h): no reader looks behind the end, and what they say can
 * go anywhere: UTF-8 without control characters, short enough. Input: a byte that chooses the
 * reader; the text.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "os/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *text, size_t room)
{
    const char *end = memchr(text, '\0', room);

    assert(end != NULL);
    while (text < end) {
        uint32_t cp = 0;
        size_t n = ho_utf8_read(text, (size_t)(end - text), &cp);

        assert(n > 0 && cp >= ' ' && (cp < 0x7f || cp > 0x9f));
        text += n;
    }
}

/* An id is 64 digits of the text; a unit begins like one of its names. */
static void check_container(const char *c, const char *text, size_t len)
{
    size_t n = strlen(c);

    check_name(c, HO_OS_CONTAINER);
    assert(n <= len);
    if (n == 64 && strspn(c, "0123456789abcdef") == 64) {
        bool found = false;

        for (size_t i = 0; i + 64 <= len && !found; i++) {
            found = memcmp(text + i, c, 64) == 0;
        }
        assert(found);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char comm[HO_OS_COMM], container[HO_OS_CONTAINER];
    uint64_t inode = 0;

    if (size < 1) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    size_t len = size - 1;

    switch (data[0] % 4) {
    case 0:
        assert(!ho_os_procfs_socket(text, len, &inode) || len >= 10);
        break;
    case 1:
        assert(!ho_os_procfs_netns(text, len, &inode) || len >= 7);
        break;
    case 2:
        ho_os_procfs_comm(comm, text, len);
        check_name(comm, sizeof(comm));
        break;
    default:
        ho_os_procfs_container(container, text, len);
        check_container(container, text, len);
        break;
    }
    return 0;
}
