# Writes files as a list in C:
#
#   cmake -DOUT=FILE -DFILES=scenarios/*.scn -DHEADER=cli/catalogue.h -DTYPE=ho_catalogue_item
#         -DLIST=ho_catalogue -P embed.cmake
#
# The list has items { name without ending, text, length }, by name, and one of zeros at its end.
# Bytes, not string literals: ISO C promises no literal longer than 4095 characters.
file(GLOB paths ${FILES})
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
file(WRITE ${OUT} "/* Made by tools/embed.cmake. */\n\n#include \"${HEADER}\"\n\n${arrays}
const struct ${TYPE} ${LIST}[] = {\n${items}    { 0, 0, 0 },\n};\n
const size_t ${LIST}_count = ${n};\n")
