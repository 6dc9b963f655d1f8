# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Run by scripts/qgis-screenshots.sh inside QGIS: opens what is to be seen, saves pictures to HUD_SHOTS, and ends QGIS.
import os
import traceback

from qgis.core import QgsContrastEnhancement, QgsMultiBandColorRenderer, QgsProject, QgsRasterLayer, QgsRasterMinMaxOrigin
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QDockWidget, QLineEdit, QToolBar, QTreeView
from qgis.utils import iface

FOLDER = os.environ["HUD_SHOTS"]
window = iface.mainWindow()


def save(widget, name):
    widget.grab().save(os.path.join(FOLDER, name + ".png"))


def load(name, title, bands):
    layer = QgsRasterLayer(os.path.join(FOLDER, name), title)
    layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), *bands))
    layer.setContrastEnhancement(QgsContrastEnhancement.StretchToMinimumMaximum, QgsRasterMinMaxOrigin.CumulativeCut)
    QgsProject.instance().addMapLayer(layer)
    return layer


def dock(name):
    return window.findChild(QDockWidget, name)


def show_toolbox():
    window.resize(1280, 720)
    for bar in window.findChildren(QToolBar):
        bar.setVisible(bar.objectName() in ("mFileToolBar", "mMapNavToolBar"))
    for panel in window.findChildren(QDockWidget):
        panel.setVisible(panel.objectName() in ("ProcessingToolbox", "Layers"))
    load("jasper_ridge.tif", "jasper_ridge", (28, 16, 6))
    window.resizeDocks([dock("ProcessingToolbox")], [600], 1)
    dock("ProcessingToolbox").findChild(QLineEdit).setText("HUD")


def save_toolbox():
    for tree in dock("ProcessingToolbox").findChildren(QTreeView):
        tree.expandAll()
    iface.mapCanvas().zoomToFullExtent()
    iface.mapCanvas().waitWhileRendering()
    save(window, "toolbox")


def show_dialog():
    from processing import createAlgorithmDialog

    show_dialog.dialog = createAlgorithmDialog("otb:HUDTrain", {"iterations": 2000, "out": "/home/user/jasper.safetensors"})
    show_dialog.dialog.resize(1000, 720)
    show_dialog.dialog.show()


def save_dialog():
    save(show_dialog.dialog, "train")
    show_dialog.dialog.close()


def show_scene():
    dock("ProcessingToolbox").hide()
    QgsProject.instance().removeAllMapLayers()
    layer = load("synthetic.tif", "synthetic", (28, 16, 6))
    iface.setActiveLayer(layer)


def zoom_scene():
    iface.mapCanvas().zoomToFullExtent()


def save_scene():
    iface.mapCanvas().waitWhileRendering()
    save(window, "scene")


def run(steps):
    """Runs the steps with a pause behind each, in which QGIS draws."""
    try:
        if steps:
            steps[0]()
            QTimer.singleShot(3000, lambda: run(steps[1:]))
            return
    except Exception:  # QGIS would show a window and wait
        traceback.print_exc()
    os._exit(0)


QTimer.singleShot(5000, lambda: run([show_toolbox, save_toolbox, show_dialog, save_dialog, show_scene, zoom_scene, save_scene]))
