# Stands in for Slicer's: the <Extension>Config.cmake that other extensions find.
file(WRITE "${CMAKE_BINARY_DIR}/${EXTENSION_NAME}Config.cmake" "")
