/* The recipe of a virtual kernel, built into the program (tools/virtual-kernel, tools/embed.cmake).
 */

#ifndef HO_CLI_VIRTUAL_KERNEL_H
#define HO_CLI_VIRTUAL_KERNEL_H

#include <stddef.h>

struct ho_embedded {
    const char *name; /* of the file */
    const char *text;
    size_t len;
};

extern const struct ho_embedded ho_virtual_kernel[]; /* build, config; the last has no name */
extern const size_t ho_virtual_kernel_count;

#endif
