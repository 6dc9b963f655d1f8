# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Writes OUT_DIR/NAME.txt for each of APPLICATIONS, and OUT_DIR/algs.txt, for QGIS.
file(MAKE_DIRECTORY ${OUT_DIR})
foreach(name IN LISTS APPLICATIONS)
  execute_process(COMMAND ${PROGRAM} ${name} ${APP_DIR} ${OUT_DIR}/
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  # The program may report success without having written anything.
  if(NOT status EQUAL 0 OR NOT EXISTS ${OUT_DIR}/${name}.txt)
    message(FATAL_ERROR "${PROGRAM} could not describe ${name} (status ${status}):\n${output}")
  endif()
endforeach()
