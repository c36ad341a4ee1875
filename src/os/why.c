/* See os/why.h. */

#include "os/why.h"

#include <stdarg.h>
#include <stdio.h>

void ho_os_why(char *why, const char *format, ...)
{
    va_list args;

    if (why == NULL) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(why, HO_OS_WHY, format, args);
    va_end(args);
}
