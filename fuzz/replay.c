/* Runs a fuzz target over the files of a folder: past crashes as plain tests. */

#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Gives one file to the target, in a block of exactly its size, so that AddressSanitizer sees a
 * read behind the end. Returns 0, or 2 if it cannot be read.
 */
static int replay(const char *path)
{
    static uint8_t buf[1 << 20];

    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return 2;
    }
    size_t len = fread(buf, 1, sizeof(buf), f);
    fclose(f);

    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact == NULL) {
        perror(path);
        return 2;
    }
    for (size_t i = 0; i < len; i++) {
        exact[i] = buf[i];
    }
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    char path[4096];
    int n = 0;

    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (dir == NULL) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
        int err = replay(path);
        if (err != 0) {
            closedir(dir);
            return err;
        }
        n++;
    }
    closedir(dir);
    printf("%d inputs\n", n);
    return n == 0; /* an empty corpus tests nothing */
}
