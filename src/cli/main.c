/* The program's entry; everything else is in the library, for the tests. */

#include "cli/cli.h"

int main(int argc, char **argv)
{
    return ho_cli(argc, argv);
}
