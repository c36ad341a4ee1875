# Writes the scenarios of the catalogue as a C file: cmake -DOUT=FILE -DDIR=scenarios -P embed.cmake
#
# Bytes, not string literals: ISO C promises no literal longer than 4095 characters.
file(GLOB paths ${DIR}/*.scn)
list(SORT paths)
set(arrays "")
set(items "")
set(n 0)
foreach(path ${paths})
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} hex HEX)
  string(LENGTH "${hex}" len)
  math(EXPR len "${len} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char text_${n}[] = {\n${bytes}0 };\n")
  string(APPEND items "    { \"${name}\", (const char *)text_${n}, ${len} },\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by tools/embed.cmake from scenarios/. */\n\n#include \"cli/catalogue.h\"\n\n${arrays}
const struct ho_catalogue_item ho_catalogue[] = {\n${items}    { 0, 0, 0 },\n};\n
const size_t ho_catalogue_count = ${n};\n")
