# Every scenario of the catalogue is a test: its expectations hold, and its transcript is what
# tests/scenario/NAME.txt has (tools/transcripts.sh).
foreach(path ${scenarios})
  get_filename_component(name ${path} NAME_WE)
  add_test(NAME scenario.${name} COMMAND sh tools/transcripts.sh --check ${name}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(scenario.${name} PROPERTIES LABELS scenario TIMEOUT 60
                       ENVIRONMENT HALFOPEN=$<TARGET_FILE:halfopen>)
endforeach()
