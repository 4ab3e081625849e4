<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
<name>MetaUNETRSegment</name>
<message>
<source>
Segments the abdominal organs of a CT: choose the volume, press &lt;b&gt;Segment&lt;/b&gt;. The model is bundled
and runs on this computer, on a GPU or without one; nothing is uploaded.
&lt;a href="https://github.com/lyupengju/MetaUNETR/blob/main/docs/slicer.md"&gt;Tutorial and help&lt;/a&gt;.&lt;br&gt;
&lt;b&gt;Research use only. Not for diagnosis or treatment.&lt;/b&gt;
</source>
<translation>
Segmentiert die Bauchorgane eines CT: Volumen wählen, &lt;b&gt;Segmentieren&lt;/b&gt; drücken. Das Modell ist enthalten
und läuft auf diesem Computer, mit oder ohne GPU; nichts wird hochgeladen.
&lt;a href="https://github.com/lyupengju/MetaUNETR/blob/main/docs/slicer.md"&gt;Tutorial und Hilfe (englisch)&lt;/a&gt;.&lt;br&gt;
&lt;b&gt;Nur für die Forschung. Nicht für Diagnose oder Behandlung.&lt;/b&gt;
</translation>
</message>
<message>
<source>
Lyu, Zhang, Zhang, Liu, Wang, Zhu: MetaUNETR: Rethinking Token Mixer Encoding for Efficient
Multi-Organ Segmentation. MICCAI 2024. Please cite this paper if you use the module in your work.
</source>
<translation>
Lyu, Zhang, Zhang, Liu, Wang, Zhu: MetaUNETR: Rethinking Token Mixer Encoding for Efficient
Multi-Organ Segmentation. MICCAI 2024. Bitte zitieren Sie diese Arbeit, wenn Sie das Modul verwenden.
</translation>
</message>
<message>
<source>What is missing, and what will be installed.</source>
<translation>Was fehlt, und was installiert wird.</translation>
</message>
<message>
<source>Install now what is missing; otherwise you are asked at the first run.</source>
<translation>Jetzt installieren, was fehlt; sonst werden Sie beim ersten Lauf gefragt.</translation>
</message>
<message>
<source>Install…</source>
<translation>Installieren…</translation>
</message>
<message>
<source>For computers without internet: a folder of wheels that was filled on another computer with the copied command.</source>
<translation>Für Computer ohne Internet: ein Ordner mit Wheels, der auf einem anderen Computer mit dem kopierten Befehl gefüllt wurde.</translation>
</message>
<message>
<source>Install from folder…</source>
<translation>Aus Ordner installieren…</translation>
</message>
<message>
<source>Copy the command that fills such a folder on a computer with internet.</source>
<translation>Den Befehl kopieren, der auf einem Computer mit Internet einen solchen Ordner füllt.</translation>
</message>
<message>
<source>Copy command</source>
<translation>Befehl kopieren</translation>
</message>
<message>
<source>Gone after the first run.</source>
<translation>Verschwindet nach dem ersten Lauf.</translation>
</message>
<message>
<source>Segment</source>
<translation>Segmentieren</translation>
</message>
<message>
<source>One volume</source>
<translation>Ein Volumen</translation>
</message>
<message>
<source>Volume:</source>
<translation>Volumen:</translation>
</message>
<message>
<source>The CT to segment, in Hounsfield units. By default the one that the slice views show.</source>
<translation>Das CT, das segmentiert wird, in Hounsfield-Einheiten. Voreinstellung: das Volumen, das die Schichtansichten zeigen.</translation>
</message>
<message>
<source>Select a CT volume</source>
<translation>CT-Volumen wählen</translation>
</message>
<message>
<source>Segment the organs of the volume. Nothing in the scene changes until it is done.</source>
<translation>Die Organe des Volumens segmentieren. Bis zum Ende ändert sich in der Szene nichts.</translation>
</message>
<message>
<source>The volume, and what its run will take on this computer: time, and memory (GB) of its own process.</source>
<translation>Das Volumen, und was sein Lauf auf diesem Computer braucht: Zeit, und Speicher (GB) eines eigenen Prozesses.</translation>
</message>
<message>
<source>How far the run is.</source>
<translation>Fortschritt des Laufs.</translation>
</message>
<message>
<source>What the run is doing, and how it ended.</source>
<translation>Was der Lauf tut, und wie er endete.</translation>
</message>
<message>
<source>What went wrong or should be known, and the way out.</source>
<translation>Was schiefging oder was Sie wissen sollten, und was zu tun ist.</translation>
</message>
<message>
<source>Results</source>
<translation>Ergebnisse</translation>
</message>
<message>
<source>Shown:</source>
<translation>Gezeigt:</translation>
</message>
<message>
<source>The segmentation whose organs are listed.</source>
<translation>Die Segmentierung, deren Organe in der Liste stehen.</translation>
</message>
<message>
<source>None yet</source>
<translation>Noch keine</translation>
</message>
<message>
<source>Click an organ, or move with the arrow keys, to jump to its centre. Double-click to show it alone, and again to show all.</source>
<translation>Ein Klick auf ein Organ oder die Pfeiltasten springen zu seiner Mitte. Ein Doppelklick zeigt es allein, ein zweiter wieder alle.</translation>
</message>
<message>
<source>Opacity:</source>
<translation>Deckkraft:</translation>
</message>
<message>
<source>How opaque the organs are, in percent.</source>
<translation>Wie deckend die Organe sind, in Prozent.</translation>
</message>
<message>
<source>How opaque the organs are in all views, in percent. Default: 100.</source>
<translation>Wie deckend die Organe in allen Ansichten sind, in Prozent. Voreinstellung: 100.</translation>
</message>
<message>
<source>Jump to the next organ that should be looked at.</source>
<translation>Zum nächsten Organ springen, das geprüft werden sollte.</translation>
</message>
<message>
<source>Next ⚠</source>
<translation>Nächstes ⚠</translation>
</message>
<message>
<source>What looks wrong and should be looked at.</source>
<translation>Was falsch aussieht und geprüft werden sollte.</translation>
</message>
<message>
<source>Show the organs as surfaces in the 3D view. They are made now, which takes a few seconds.</source>
<translation>Die Organe als Oberflächen in der 3D-Ansicht zeigen. Sie werden jetzt berechnet, das dauert einige Sekunden.</translation>
</message>
<message>
<source>Show 3D</source>
<translation>3D zeigen</translation>
</message>
<message>
<source>Open the result in Segment Editor.</source>
<translation>Das Ergebnis im Segment Editor öffnen.</translation>
</message>
<message>
<source>Edit</source>
<translation>Bearbeiten</translation>
</message>
<message>
<source>Put volumes and HU into a table of the scene.</source>
<translation>Volumina und HU in eine Tabelle der Szene schreiben.</translation>
</message>
<message>
<source>Table</source>
<translation>Tabelle</translation>
</message>
<message>
<source>Save volumes, HU, confidence and flags as a CSV file.</source>
<translation>Volumina, HU, Konfidenz und Hinweise als CSV-Datei speichern.</translation>
</message>
<message>
<source>Save CSV…</source>
<translation>CSV…</translation>
</message>
<message>
<source>Where the statistics and copies went.</source>
<translation>Wo Statistik und Kopien liegen.</translation>
</message>
<message>
<source>Export</source>
<translation>Exportieren</translation>
</message>
<message>
<source>Export the segments as files: STL, OBJ, NRRD, NIfTI.</source>
<translation>Die Segmente als Dateien exportieren: STL, OBJ, NRRD, NIfTI.</translation>
</message>
<message>
<source>Export as DICOM segmentation, in Slicer's DICOM export.</source>
<translation>Als DICOM-Segmentierung exportieren, mit dem DICOM-Export von Slicer.</translation>
</message>
<message>
<source>Organs</source>
<translation>Organe</translation>
</message>
<message>
<source>The organs to segment. Fewer organs take less time after the network has run.</source>
<translation>Die Organe, die segmentiert werden. Mit weniger Organen ist der Schritt nach dem Netz kürzer.</translation>
</message>
<message>
<source>Tick every organ of the model.</source>
<translation>Alle Organe des Modells ankreuzen.</translation>
</message>
<message>
<source>All</source>
<translation>Alle</translation>
</message>
<message>
<source>Untick every organ.</source>
<translation>Alle Kreuze entfernen.</translation>
</message>
<message>
<source>None</source>
<translation>Keine</translation>
</message>
<message>
<source>Advanced</source>
<translation>Erweitert</translation>
</message>
<message>
<source>Model:</source>
<translation>Modell:</translation>
</message>
<message>
<source>The model that finds the organs.</source>
<translation>Das Modell, das die Organe findet.</translation>
</message>
<message>
<source>Result:</source>
<translation>Ergebnis:</translation>
</message>
<message>
<source>Where the organs go: a new segmentation beside the volume (default), or one that is there. In that one, only segments that this module made and nobody touched are replaced.</source>
<translation>Wohin die Organe kommen: in eine neue Segmentierung neben dem Volumen (Voreinstellung) oder in eine vorhandene. Darin werden nur Segmente ersetzt, die dieses Modul erzeugt und niemand geändert hat.</translation>
</message>
<message>
<source>New segmentation</source>
<translation>Neue Segmentierung</translation>
</message>
<message>
<source>Device:</source>
<translation>Gerät:</translation>
</message>
<message>
<source>What computes: a GPU is faster, the CPU is always there. Default: automatic, a GPU where it works.</source>
<translation>Womit gerechnet wird: Eine GPU ist schneller, eine CPU gibt es immer. Voreinstellung: automatisch, eine GPU, wo sie funktioniert.</translation>
</message>
<message>
<source>Window overlap:</source>
<translation>Fensterüberlappung:</translation>
</message>
<message>
<source>How far neighbouring windows overlap, as a share of their size. More is slower, and smoother where windows meet. Default: the model's own.</source>
<translation>Wie weit sich benachbarte Fenster überlappen, als Anteil ihrer Größe. Mehr ist langsamer, und glatter, wo Fenster sich treffen. Voreinstellung: die des Modells.</translation>
</message>
<message>
<source>Precision:</source>
<translation>Genauigkeit:</translation>
</message>
<message>
<source>Of the arithmetic in the network. Default: automatic.</source>
<translation>Rechengenauigkeit des Netzes. Voreinstellung: automatisch.</translation>
</message>
<message>
<source>Region:</source>
<translation>Region:</translation>
</message>
<message>
<source>Only what lies inside this region is labelled. Default: the whole volume.</source>
<translation>Nur was in dieser Region liegt, wird segmentiert. Voreinstellung: das ganze Volumen.</translation>
</message>
<message>
<source>Whole volume</source>
<translation>Ganzes Volumen</translation>
</message>
<message>
<source>Region</source>
<translation>Region</translation>
</message>
<message>
<source>Removes every separate part but the largest one. Default: off.</source>
<translation>Entfernt alle getrennten Teile außer dem größten. Voreinstellung: aus.</translation>
</message>
<message>
<source>Keep the largest part of each organ only</source>
<translation>Nur den größten Teil jedes Organs behalten</translation>
</message>
<message>
<source>Also makes a volume that shows in percent how unsure the model is. Default: off.</source>
<translation>Erzeugt auch ein Volumen, das in Prozent zeigt, wie unsicher das Modell ist. Voreinstellung: aus.</translation>
</message>
<message>
<source>Make a volume of the uncertainty</source>
<translation>Volumen der Unsicherheit erzeugen</translation>
</message>
<message>
<source>Give the segments the colours of Slicer's terminology, of which many look alike. Default: off, the colours of this module, which can be told apart. Codes are the same.</source>
<translation>Gibt den Segmenten die Farben der Terminologie von Slicer, von denen sich viele ähneln. Voreinstellung: aus, die Farben dieses Moduls, die sich unterscheiden lassen. Die Codes sind gleich.</translation>
</message>
<message>
<source>Colours of the terminology</source>
<translation>Farben der Terminologie</translation>
</message>
<message>
<source>Correct</source>
<translation>Korrigieren</translation>
</message>
<message>
<source>Segmentation:</source>
<translation>Segmentierung:</translation>
</message>
<message>
<source>The segmentation to correct.</source>
<translation>Die Segmentierung, die korrigiert wird.</translation>
</message>
<message>
<source>Select a segmentation</source>
<translation>Segmentierung wählen</translation>
</message>
<message>
<source>Organs to segment again</source>
<translation>Organe, die noch einmal segmentiert werden</translation>
</message>
<message>
<source>Bring back what the last correction has replaced.</source>
<translation>Zurückholen, was die letzte Korrektur ersetzt hat.</translation>
</message>
<message>
<source>Undo</source>
<translation>Rückgängig</translation>
</message>
<message>
<source>What is still to be chosen.</source>
<translation>Was Sie noch wählen müssen.</translation>
</message>
<message>
<source>Compare</source>
<translation>Vergleichen</translation>
</message>
<message>
<source>Two segmentations</source>
<translation>Zwei Segmentierungen</translation>
</message>
<message>
<source>Compares the organs of two segmentations, such as a result and a manual one.</source>
<translation>Vergleicht die Organe zweier Segmentierungen, etwa eines Ergebnisses und einer manuellen.</translation>
</message>
<message>
<source>First:</source>
<translation>Erste:</translation>
</message>
<message>
<source>The segmentation to score.</source>
<translation>Die Segmentierung, die bewertet wird.</translation>
</message>
<message>
<source>Reference:</source>
<translation>Referenz:</translation>
</message>
<message>
<source>What it is compared with.</source>
<translation>Womit sie verglichen wird.</translation>
</message>
<message>
<source>Measure Dice, surface Dice (NSD) and distance of every organ.</source>
<translation>Dice, Oberflächen-Dice (NSD) und Abstand jedes Organs messen.</translation>
</message>
<message>
<source>The scores of each organ.</source>
<translation>Die Werte jedes Organs.</translation>
</message>
<message>
<source>Make a segmentation of the voxels where the two differ.</source>
<translation>Eine Segmentierung der Voxel erzeugen, in denen sich die beiden unterscheiden.</translation>
</message>
<message>
<source>Show differences</source>
<translation>Unterschiede zeigen</translation>
</message>
<message>
<source>The colours of the differences.</source>
<translation>Die Farben der Unterschiede.</translation>
</message>
<message>
<source>Batch</source>
<translation>Stapel</translation>
</message>
<message>
<source>Many volumes</source>
<translation>Viele Volumina</translation>
</message>
<message>
<source>Segments every CT in a folder. Model, organs and device are those chosen under Segment.</source>
<translation>Segmentiert jedes CT eines Ordners. Modell, Organe und Gerät sind die unter „Segmentieren“ gewählten.</translation>
</message>
<message>
<source>CTs in:</source>
<translation>CTs in:</translation>
</message>
<message>
<source>Folder with DICOM series, NIfTI and NRRD files; folders inside it are searched too.</source>
<translation>Ordner mit DICOM-Serien, NIfTI- und NRRD-Dateien; Unterordner werden auch durchsucht.</translation>
</message>
<message>
<source>Results to:</source>
<translation>Ergebnisse nach:</translation>
</message>
<message>
<source>Folder for a segmentation of each case, and organs.csv and index.html of all.</source>
<translation>Ordner für eine Segmentierung jedes Falls, und organs.csv und index.html von allen.</translation>
</message>
<message>
<source>Format:</source>
<translation>Format:</translation>
</message>
<message>
<source>Of the segmentations. Default: Slicer segmentation.</source>
<translation>Der Segmentierungen. Voreinstellung: Slicer-Segmentierung.</translation>
</message>
<message>
<source>Surfaces:</source>
<translation>Oberflächen:</translation>
</message>
<message>
<source>Also write the organs' surfaces. Default: none.</source>
<translation>Auch die Oberflächen der Organe schreiben. Voreinstellung: keine.</translation>
</message>
<message>
<source>Does only what is missing or older than its input. Default: on.</source>
<translation>Berechnet nur, was fehlt oder älter als seine Eingabe ist. Voreinstellung: an.</translation>
</message>
<message>
<source>Skip cases that are done</source>
<translation>Fertige Fälle überspringen</translation>
</message>
<message>
<source>Segment all cases, one after the other. One that fails is reported, the others go on.</source>
<translation>Alle Fälle nacheinander segmentieren. Schlägt einer fehl, wird er gemeldet, und die anderen laufen weiter.</translation>
</message>
<message>
<source>Start batch</source>
<translation>Stapel starten</translation>
</message>
<message>
<source>The cases. Click one that is done to load it with its result.</source>
<translation>Die Fälle. Ein Klick auf einen fertigen lädt ihn mit seinem Ergebnis.</translation>
</message>
<message>
<source>Open the page of all cases, index.html, with pictures and flags.</source>
<translation>Die Seite aller Fälle, index.html, mit Bildern und Hinweisen öffnen.</translation>
</message>
<message>
<source>Open overview</source>
<translation>Übersicht öffnen</translation>
</message>
<message>
<source>Open the folder of the results.</source>
<translation>Den Ordner der Ergebnisse öffnen.</translation>
</message>
<message>
<source>Open folder</source>
<translation>Ordner öffnen</translation>
</message>
<message>
<source>Log</source>
<translation>Protokoll</translation>
</message>
<message>
<source>What happened, with times.</source>
<translation>Was geschah, mit Uhrzeiten.</translation>
</message>
<message>
<source>Copy versions, the reproducibility record and the log, for a bug report.</source>
<translation>Versionen, Angaben zur Reproduzierbarkeit und Protokoll für einen Fehlerbericht kopieren.</translation>
</message>
<message>
<source>Copy report</source>
<translation>Bericht kopieren</translation>
</message>
<message>
<source>Nothing is uploaded. Research use only, not for diagnosis.</source>
<translation>Nichts wird hochgeladen. Nur für die Forschung, nicht für Diagnosen.</translation>
</message>
<message>
<source>The model runs on this computer.</source>
<translation>Das Modell läuft auf diesem Computer.</translation>
</message>
<message>
<source>A model learns from your corrections</source>
<translation>Ein Modell lernt aus Ihren Korrekturen</translation>
</message>
<message>
<source>A model learns from your corrections, on this computer. Correct organs in Segment Editor, in at least three CTs, and remember each correction below the results. It starts from the model that is chosen under Segment.</source>
<translation>Ein Modell lernt auf diesem Computer aus Ihren Korrekturen. Korrigieren Sie Organe im Segment Editor, in mindestens drei CTs, und merken Sie jede Korrektur unter den Ergebnissen vor. Ausgangspunkt ist das unter „Segmentieren“ gewählte Modell.</translation>
</message>
<message>
<source>A run that was stopped, or whose model was not better.</source>
<translation>Ein Lauf, der abgebrochen wurde oder dessen Modell nicht besser war.</translation>
</message>
<message>
<source>Adapt</source>
<translation>Anpassen</translation>
</message>
<message>
<source>Adapted models:</source>
<translation>Angepasste Modelle:</translation>
</message>
<message>
<source>Add edited results of Batch</source>
<translation>Bearbeitete Ergebnisse des Stapels</translation>
</message>
<message>
<source>Choose it under Segment.</source>
<translation>Unter „Segmentieren“ wählen.</translation>
</message>
<message>
<source>Continue where it stopped.</source>
<translation>Dort weitermachen, wo er abgebrochen wurde.</translation>
</message>
<message>
<source>Copy the CT (at the spacing of the model, 256 grey levels, cropped to the body, without name, date or number of the patient) and the corrected organs into a folder of yours, from which the tab Adapt learns.</source>
<translation>CT (im Voxelabstand des Modells, mit 256 Graustufen, auf den Körper zugeschnitten, ohne Name, Datum oder Nummer des Patienten) und korrigierte Organe in einen Ordner auf Ihrem Computer kopieren, aus dem der Reiter „Anpassen“ lernt.</translation>
</message>
<message>
<source>Copy the model into a folder, for a colleague.</source>
<translation>Das Modell für Kollegen in einen Ordner kopieren.</translation>
</message>
<message>
<source>DICOM SEG…</source>
<translation>DICOM SEG…</translation>
</message>
<message>
<source>Delete the copy of the selected case.</source>
<translation>Die Kopie des ausgewählten Falls löschen.</translation>
</message>
<message>
<source>Delete the model.</source>
<translation>Das Modell löschen.</translation>
</message>
<message>
<source>Delete what was kept.</source>
<translation>Löschen, was aufbewahrt wurde.</translation>
</message>
<message>
<source>Delete…</source>
<translation>Löschen…</translation>
</message>
<message>
<source>Discard</source>
<translation>Verwerfen</translation>
</message>
<message>
<source>Export…</source>
<translation>Exportieren…</translation>
</message>
<message>
<source>Forget</source>
<translation>Vergessen</translation>
</message>
<message>
<source>Give the model another name.</source>
<translation>Dem Modell einen anderen Namen geben.</translation>
</message>
<message>
<source>Go on</source>
<translation>Fortsetzen</translation>
</message>
<message>
<source>How many corrections are remembered, their size and their folder.</source>
<translation>Wie viele Korrekturen vorgemerkt sind, ihre Größe und ihr Ordner.</translation>
</message>
<message>
<source>How much of the time is over.</source>
<translation>Wie viel der Zeit vergangen ist.</translation>
</message>
<message>
<source>MetaUNETR Segment</source>
<translation>MetaUNETR Segment</translation>
</message>
<message>
<source>Models that were adapted here.</source>
<translation>Modelle, die hier angepasst wurden.</translation>
</message>
<message>
<source>Remember this correction</source>
<translation>Diese Korrektur vormerken</translation>
</message>
<message>
<source>Rename…</source>
<translation>Umbenennen…</translation>
</message>
<message>
<source>Scores in CTs that the model had not learned from: before and after.</source>
<translation>Werte in CTs, aus denen das Modell nicht gelernt hat: vorher und nachher.</translation>
</message>
<message>
<source>Search the results of the tab Batch for segmentations that were edited and saved since.</source>
<translation>In den Ergebnissen des Reiters „Stapel“ nach Segmentierungen suchen, die seitdem bearbeitet und gespeichert wurden.</translation>
</message>
<message>
<source>Segment the ticked organs again.</source>
<translation>Die angekreuzten Organe noch einmal segmentieren.</translation>
</message>
<message>
<source>Segments the ticked organs again, everywhere or inside a region, and keeps everything else as it is.</source>
<translation>Segmentiert die angekreuzten Organe noch einmal, überall oder in einer Region; alles andere bleibt, wie es ist.</translation>
</message>
<message>
<source>Some organs again</source>
<translation>Einige Organe noch einmal</translation>
</message>
<message>
<source>The cases to learn from.</source>
<translation>Die Fälle, aus denen gelernt wird.</translation>
</message>
<message>
<source>The most that everything may take, in minutes. With more time the model learns more. Default: 30 minutes.</source>
<translation>Wie lange alles höchstens dauern darf, in Minuten. Mit mehr Zeit lernt das Modell mehr. Voreinstellung: 30 Minuten.</translation>
</message>
<message>
<source>Their voxels are replaced, in the region if there is one.</source>
<translation>Ihre Voxel werden ersetzt, bei einer Region nur darin.</translation>
</message>
<message>
<source>Time (minutes):</source>
<translation>Zeit (Minuten):</translation>
</message>
<message>
<source>Train a model on the ticked cases, and measure the gain on CTs that it has not learned from. It is written only if it is better.</source>
<translation>Ein Modell mit den angekreuzten Fällen trainieren und den Gewinn in CTs messen, aus denen es nicht gelernt hat. Es wird nur gespeichert, wenn es besser ist.</translation>
</message>
<message>
<source>Use this model</source>
<translation>Verwenden</translation>
</message>
<message>
<source>What is still to be chosen, or what the run will take.</source>
<translation>Was Sie noch wählen müssen, oder was der Lauf braucht.</translation>
</message>
<message>
<source>Where to segment again. A new region begins around the ticked organs: drag its handles. Default: the whole volume.</source>
<translation>Wo noch einmal segmentiert wird. Eine neue Region liegt zuerst um die angekreuzten Organe: Ziehen Sie an ihren Griffen. Voreinstellung: das ganze Volumen.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.comparison</name>
<message>
<source>{first} and {second} must have an organ in common, by terminology or name; known names are {names}.</source>
<translation>{first} und {second} müssen ein Organ gemeinsam haben, nach Terminologie oder Name; bekannte Namen sind {names}.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.correction</name>
<message>
<source>Nothing was undone: the {name} was changed since.</source>
<translation>Nichts wurde rückgängig gemacht: {name} wurde seitdem geändert.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.dependencies</name>
<message>
<source>about 200 MB, with an NVIDIA GPU up to 4 GB</source>
<translation>etwa 200 MB, mit einer NVIDIA-GPU bis 4 GB</translation>
</message>
<message>
<source>less than 1 MB</source>
<translation>weniger als 1 MB</translation>
</message>
<message>
<source>Before the first segmentation, this is downloaded and installed into Slicer's Python:

{names}

It takes some minutes, in which Slicer may not respond; then the segmentation starts. Images are never uploaded.

Without internet, cancel and use Install from folder.

Install now?</source>
<translation>Vor der ersten Segmentierung wird dies heruntergeladen und in das Python von Slicer installiert:

{names}

Das dauert einige Minuten, in denen Slicer vielleicht nicht antwortet; dann beginnt die Segmentierung. Bilder werden nie hochgeladen.

Ohne Internet brechen Sie ab und benutzen „Aus Ordner installieren“.

Jetzt installieren?</translation>
</message>
<message>
<source>Missing: {names}. Nothing is installed while Slicer tests itself.</source>
<translation>Es fehlt: {names}. Während Slicer sich selbst prüft, wird nichts installiert.</translation>
</message>
<message>
<source>Nothing was installed. The segmentation needs {names}; you will be asked again at the next run.</source>
<translation>Nichts wurde installiert. Die Segmentierung braucht {names}; beim nächsten Lauf werden Sie wieder gefragt.</translation>
</message>
<message>
<source>Still missing after the installation: {names}. Restart Slicer and try again.</source>
<translation>Nach der Installation fehlt noch: {names}. Starten Sie Slicer neu und versuchen Sie es noch einmal.</translation>
</message>
<message>
<source>{torch} is needed, and an older PyTorch is in use in this Slicer. Restart Slicer and segment before you use anything else that needs PyTorch.</source>
<translation>{torch} wird gebraucht, und ein älteres PyTorch ist in diesem Slicer in Gebrauch. Starten Sie Slicer neu und segmentieren Sie, bevor Sie anderes benutzen, das PyTorch braucht.</translation>
</message>
<message>
<source>PyTorch is installed through the extension PyTorch, which is missing here. Install it with the Extensions Manager, restart Slicer and try again; or use Install from folder.</source>
<translation>PyTorch wird mit der Erweiterung PyTorch installiert, die hier fehlt. Installieren Sie sie mit dem Extensions Manager, starten Sie Slicer neu und versuchen Sie es noch einmal; oder benutzen Sie „Aus Ordner installieren“.</translation>
</message>
<message>
<source>MetaUNETR: first run</source>
<translation>MetaUNETR: erster Lauf</translation>
</message>
<message>
<source>An installation is under way; wait until it is done.</source>
<translation>Eine Installation läuft; warten Sie, bis sie fertig ist.</translation>
</message>
<message>
<source>The packages could not be downloaded: no connection. Check the network and the proxy (environment variable HTTPS_PROXY) and try again, or use Install from folder.</source>
<translation>Die Pakete konnten nicht heruntergeladen werden: keine Verbindung. Prüfen Sie das Netzwerk und den Proxy (Umgebungsvariable HTTPS_PROXY) und versuchen Sie es noch einmal, oder benutzen Sie „Aus Ordner installieren“.</translation>
</message>
<message>
<source>The installation failed: {reason}. Restart Slicer and try again, or use Install from folder.</source>
<translation>Die Installation ist fehlgeschlagen: {reason}. Starten Sie Slicer neu und versuchen Sie es noch einmal, oder benutzen Sie „Aus Ordner installieren“.</translation>
</message>
<message>
<source>any package</source>
<translation>irgendein Paket</translation>
</message>
<message>
<source>{folder} does not hold {what} in a build for this Slicer. On a connected computer with the same operating system, run

{command}

and bring the folder "wheels" here.</source>
<translation>{folder} enthält {what} nicht in einer Fassung für diesen Slicer. Führen Sie auf einem Computer mit Internet und demselben Betriebssystem

{command}

aus und bringen Sie den Ordner „wheels“ hierher.</translation>
</message>
<message>
<source>Installing from {folder} failed: {reason}. Restart Slicer and try again.</source>
<translation>Die Installation aus {folder} ist fehlgeschlagen: {reason}. Starten Sie Slicer neu und versuchen Sie es noch einmal.</translation>
</message>
<message>
<source>pip ended with code {n}</source>
<translation>pip endete mit Code {n}</translation>
</message>
<message>
<source>a few MB</source>
<translation>wenige MB</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.engine</name>
<message>
<source>PythonSlicer is on none of the paths {paths}; install Slicer again.</source>
<translation>PythonSlicer liegt auf keinem der Pfade {paths}; installieren Sie Slicer neu.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.exchange</name>
<message>
<source>The input volume must have voxels; this one has not: {name}.</source>
<translation>Das Volumen muss Voxel haben; dieses hat keine: {name}.</translation>
</message>
<message>
<source>The input must be a CT; {name} is a label map.</source>
<translation>Die Eingabe muss ein CT sein; {name} ist eine Labelmap.</translation>
</message>
<message>
<source>Every voxel of the input must have one value; {name} has {count} (colours, directions or frames).</source>
<translation>Jeder Voxel der Eingabe muss einen Wert haben; {name} hat {count} (Farben, Richtungen oder Einzelbilder).</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.install</name>
<message>
<source>Before the first run, this must be installed: {names}. You will be asked first, with the sizes.</source>
<translation>Vor dem ersten Lauf muss dies installiert werden: {names}. Sie werden vorher gefragt und sehen die Größen.</translation>
</message>
<message>
<source>An installation is under way; wait until it is done.</source>
<translation>Eine Installation läuft; warten Sie, bis sie fertig ist.</translation>
</message>
<message>
<source>Folder of wheels</source>
<translation>Ordner mit Wheels</translation>
</message>
<message>
<source>Installing: {text}</source>
<translation>Installation: {text}</translation>
</message>
<message>
<source>The command is on the clipboard: run it on a computer with internet, bring the folder “wheels” here, and use Install from folder.</source>
<translation>Der Befehl ist in der Zwischenablage: Führen Sie ihn auf einem Computer mit Internet aus, bringen Sie den Ordner „wheels“ hierher und benutzen Sie „Aus Ordner installieren“.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.job</name>
<message>
<source>Cancelled: the input was closed or removed.</source>
<translation>Abgebrochen: Die Eingabe wurde geschlossen oder entfernt.</translation>
</message>
<message>
<source>Cancelled.</source>
<translation>Abgebrochen.</translation>
</message>
<message>
<source>The engine stopped unexpectedly (exit code {code}). The log says more; please report it with a copy of it.</source>
<translation>Die Berechnung endete unerwartet (Code {code}). Das Protokoll sagt mehr; bitte melden Sie den Fehler mit einer Kopie davon.</translation>
</message>
<message>
<source>The result could not be put into the scene ({kind}: {error}). The log says more; please report it with a copy of it.</source>
<translation>Das Ergebnis ließ sich nicht in die Szene einfügen ({kind}: {error}). Das Protokoll sagt mehr; bitte melden Sie den Fehler mit einer Kopie davon.</translation>
</message>
<message>
<source>The engine was killed, probably because memory ran out. Close other programs, or crop the volume with the module Crop Volume.</source>
<translation>Die Berechnung wurde vom System beendet, wahrscheinlich weil der Arbeitsspeicher nicht reichte. Schließen Sie andere Programme, oder schneiden Sie das Volumen mit dem Modul Crop Volume zu.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.masks</name>
<message>
<source>{name} has no voxels and no reference volume.</source>
<translation>{name} hat keine Voxel und kein Referenzvolumen.</translation>
</message>
<message>
<source>The transforms of {first} and {second} must be the same or linear; put both under one transform, or harden it.</source>
<translation>Die Transformationen von {first} und {second} müssen dieselbe oder linear sein; legen Sie beide unter eine Transformation, oder wenden Sie sie fest an.</translation>
</message>
<message>
<source>The segment {segment} of {segmentation} must lie on the grid of {volume}; it lies on another.</source>
<translation>Das Segment {segment} von {segmentation} muss auf dem Gitter von {volume} liegen; es liegt auf einem anderen.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.organhere</name>
<message>
<source>Name the segment “{name}” after its organ, or choose its terminology (double-click its colour). Organs are {organs}.</source>
<translation>Benennen Sie das Segment „{name}“ nach seinem Organ, oder wählen Sie seine Terminologie (Doppelklick auf seine Farbe). Organe sind {organs}.</translation>
</message>
<message>
<source>Choose the source volume above the table of segments.</source>
<translation>Wählen Sie das Quellvolumen über der Tabelle der Segmente.</translation>
</message>
<message>
<source>the place that was clicked</source>
<translation>der angeklickte Ort</translation>
</message>
<message>
<source>The segment was removed meanwhile.</source>
<translation>Das Segment wurde inzwischen entfernt.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.roi</name>
<message>
<source>The region of interest must lie on the volume; {region} lies beside {volume}.</source>
<translation>Die Region muss auf dem Volumen liegen; {region} liegt neben {volume}.</translation>
</message>
<message>
<source>The region of interest must have a size; {region} has none yet: place it in a slice view.</source>
<translation>Die Region muss eine Größe haben; {region} hat noch keine: Legen Sie sie in eine Schichtansicht.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.segmentation</name>
<message>
<source>The labels must lie on the volume: its size is {size}, theirs {labels} from {offset}.</source>
<translation>Die Labels müssen auf dem Volumen liegen: Seine Größe ist {size}, ihre {labels} ab {offset}.</translation>
</message>
<message>
<source>The segments must be made of voxels; those of {name} are surfaces. Choose a new segmentation, or make the binary labelmap the source of this one.</source>
<translation>Die Segmente müssen aus Voxeln bestehen; die von {name} sind Oberflächen. Wählen Sie eine neue Segmentierung, oder machen Sie die Labelmap zur Quelle von dieser.</translation>
</message>
<message>
<source>The segment {name} could not be added to the segmentation.</source>
<translation>Das Segment {name} konnte nicht zur Segmentierung hinzugefügt werden.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.segmenting</name>
<message>
<source>Choose at least one organ.</source>
<translation>Wählen Sie mindestens ein Organ.</translation>
</message>
<message>
<source>{segmentation} was not made from {volume} as it is now: choose the CT, or the frame of the sequence, that it was made from, or another segmentation.</source>
<translation>{segmentation} wurde nicht aus {volume} gemacht, wie es jetzt ist: Wählen Sie das CT oder das Bild der Sequenz, aus dem sie gemacht wurde, oder eine andere Segmentierung.</translation>
</message>
</context>
<context>
<name>SegmentEditorEffect</name>
<message>
<source>Click an organ in a slice view: MetaUNETR segments the organ that the selected segment means (by its terminology or name) again in a cube around that point. Other segments and the rest of this one stay. Research use only.</source>
<translation>Klicken Sie in einer Schichtansicht auf ein Organ: MetaUNETR segmentiert das Organ des ausgewählten Segments (nach Terminologie oder Name) in einem Würfel um diesen Punkt noch einmal. Andere Segmente und der Rest von diesem bleiben unverändert. Nur für die Forschung.</translation>
</message>
<message>
<source>Edge of the cube in mm. Default: {default} mm.</source>
<translation>Kantenlänge des Würfels in mm. Voreinstellung: {default} mm.</translation>
</message>
<message>
<source>Size:</source>
<translation>Größe:</translation>
</message>
<message>
<source>Cancel</source>
<translation>Abbrechen</translation>
</message>
<message>
<source>Stop the run. The segment stays as it was.</source>
<translation>Den Lauf abbrechen. Das Segment bleibt, wie es war.</translation>
</message>
<message>
<source>Open the module MetaUNETR Segment first and press Segment: it installs what is missing.</source>
<translation>Öffnen Sie zuerst das Modul MetaUNETR Segment und drücken Sie „Segmentieren“: Es installiert, was fehlt.</translation>
</message>
<message>
<source>Select a segment first.</source>
<translation>Wählen Sie zuerst ein Segment.</translation>
</message>
<message>
<source>Cancelled. The segment is as it was before.</source>
<translation>Abgebrochen. Das Segment ist wie vorher.</translation>
</message>
<message>
<source>Done. Undo brings the segment back as it was.</source>
<translation>Fertig. „Rückgängig“ stellt das Segment wieder her.</translation>
</message>
<message>
<source>MetaUNETR</source>
<translation>MetaUNETR</translation>
</message>
</context>
<context>
<name>panel.__init__</name>
<message>
<source>Stopped: the scene was closed.</source>
<translation>Beendet: Die Szene wurde geschlossen.</translation>
</message>
<message>
<source>Everything is installed.</source>
<translation>Alles ist installiert.</translation>
</message>
<message>
<source>Another run is going on: wait until it is done, or cancel it.</source>
<translation>Ein anderer Lauf ist noch nicht fertig: Warten Sie, oder brechen Sie ihn ab.</translation>
</message>
</context>
<context>
<name>panel.adaptcases</name>
<message>
<source>Case</source>
<translation>Fall</translation>
</message>
<message>
<source>Corrected organs</source>
<translation>Korrigierte Organe</translation>
</message>
<message>
<source>Select a remembered case in the list.</source>
<translation>Wählen Sie in der Liste einen vorgemerkten Fall.</translation>
</message>
<message>
<source>Tick the cases to learn from. One of the scene is remembered when you tick it.</source>
<translation>Kreuzen Sie die Fälle an, aus denen gelernt wird. Ein Fall der Szene wird vorgemerkt, wenn Sie ihn ankreuzen.</translation>
</message>
<message>
<source>What is not corrected stays as the model knows it.</source>
<translation>Was nicht korrigiert ist, bleibt, wie das Modell es kennt.</translation>
</message>
<message>
<source>no model</source>
<translation>ohne Modell</translation>
</message>
<message>
<source>{count} remembered, {size}, in {folder}</source>
<translation>{count} vorgemerkt, {size}, in {folder}</translation>
</message>
<message>
<source>{name} (batch)</source>
<translation>{name} (Stapel)</translation>
</message>
<message>
<source>{name} (scene)</source>
<translation>{name} (Szene)</translation>
</message>
<message>
<source>{name}. Tick it to remember it: CT and corrected organs are copied to {folder}.</source>
<translation>{name}. Zum Vormerken ankreuzen: CT und korrigierte Organe werden nach {folder} kopiert.</translation>
</message>
<message>
<source>{size} in {folder}; results of {model}</source>
<translation>{size} in {folder}; Ergebnisse von {model}</translation>
</message>
</context>
<context>
<name>panel.adaptmodels</name>
<message>
<source>Organ</source>
<translation>Organ</translation>
</message>
<message>
<source>At 2 mm, before → after.</source>
<translation>Bei 2 mm, vorher → nachher.</translation>
</message>
<message>
<source>Before → after.</source>
<translation>Vorher → nachher.</translation>
</message>
<message>
<source>Delete the model {name}?</source>
<translation>Das Modell {name} löschen?</translation>
</message>
<message>
<source>Dice</source>
<translation>Dice</translation>
</message>
<message>
<source>Folder for the model</source>
<translation>Ordner für das Modell</translation>
</message>
<message>
<source>MetaUNETR</source>
<translation>MetaUNETR</translation>
</message>
<message>
<source>NSD</source>
<translation>NSD</translation>
</message>
<message>
<source>New name:</source>
<translation>Neuer Name:</translation>
</message>
<message>
<source>Number of held-out CTs.</source>
<translation>Anzahl der zurückgehaltenen CTs.</translation>
</message>
<message>
<source>Rename model</source>
<translation>Modell umbenennen</translation>
</message>
<message>
<source>The model is in {path}. Somebody who puts this folder into {models} can choose it.</source>
<translation>Das Modell liegt in {path}. Wer diesen Ordner nach {models} kopiert, kann es wählen.</translation>
</message>
<message>
<source>mean of organs</source>
<translation>Mittel der Organe</translation>
</message>
<message>
<source>n</source>
<translation>n</translation>
</message>
</context>
<context>
<name>panel.batch</name>
<message>
<source>Case</source>
<translation>Fall</translation>
</message>
<message>
<source>Click a case that is done to load it with its result.</source>
<translation>Ein Klick auf einen fertigen Fall lädt ihn mit seinem Ergebnis.</translation>
</message>
<message>
<source>State</source>
<translation>Stand</translation>
</message>
<message>
<source>Why a case failed is in its tooltip.</source>
<translation>Warum ein Fall fehlschlug, steht in seinem Tooltip.</translation>
</message>
<message>
<source>Time</source>
<translation>Zeit</translation>
</message>
<message>
<source>Flags</source>
<translation>Hinweise</translation>
</message>
<message>
<source>What looks wrong and should be looked at.</source>
<translation>Was falsch aussieht und geprüft werden sollte.</translation>
</message>
<message>
<source>There are no results yet.</source>
<translation>Es gibt noch keine Ergebnisse.</translation>
</message>
<message>
<source>Choose the folder with the CTs.</source>
<translation>Wählen Sie den Ordner mit den CTs.</translation>
</message>
<message>
<source>The folder of the CTs does not exist: {folder}</source>
<translation>Den Ordner der CTs gibt es nicht: {folder}</translation>
</message>
<message>
<source>Choose the folder for the results.</source>
<translation>Wählen Sie den Ordner für die Ergebnisse.</translation>
</message>
<message>
<source>Choose a model and at least one organ under Segment.</source>
<translation>Wählen Sie unter „Segmentieren“ ein Modell und mindestens ein Organ.</translation>
</message>
<message>
<source>Cancelled. The cases that were done are kept.</source>
<translation>Abgebrochen. Fertige Fälle bleiben erhalten.</translation>
</message>
<message>
<source>waiting</source>
<translation>wartet</translation>
</message>
<message>
<source>{name} cannot be loaded: {error}</source>
<translation>{name} lässt sich nicht laden: {error}</translation>
</message>
<message>
<source>Load {path} with the DICOM module.</source>
<translation>Laden Sie {path} mit dem DICOM-Modul.</translation>
</message>
<message>
<source>running</source>
<translation>läuft</translation>
</message>
<message>
<source>done</source>
<translation>fertig</translation>
</message>
<message>
<source>there already</source>
<translation>schon vorhanden</translation>
</message>
<message>
<source>failed</source>
<translation>fehlgeschlagen</translation>
</message>
<message>
<source>Slicer segmentation (.seg.nrrd)</source>
<translation>Slicer-Segmentierung (.seg.nrrd)</translation>
</message>
<message>
<source>Opens in Slicer with names, colours and terminology.</source>
<translation>Öffnet sich in Slicer mit Namen, Farben und Terminologie.</translation>
</message>
<message>
<source>NIfTI label map (.nii.gz)</source>
<translation>NIfTI-Labelmap (.nii.gz)</translation>
</message>
<message>
<source>For most other programs.</source>
<translation>Für die meisten anderen Programme.</translation>
</message>
<message>
<source>For archives; needs DICOM input.</source>
<translation>Für Archive; braucht DICOM als Eingabe.</translation>
</message>
<message>
<source>For radiotherapy planning; needs DICOM input.</source>
<translation>Für die Strahlentherapieplanung; braucht DICOM als Eingabe.</translation>
</message>
<message>
<source>None</source>
<translation>Keine</translation>
</message>
<message>
<source>A file for each organ.</source>
<translation>Eine Datei für jedes Organ.</translation>
</message>
<message>
<source>DICOM SEG (.dcm)</source>
<translation>DICOM SEG (.dcm)</translation>
</message>
<message>
<source>OBJ</source>
<translation>OBJ</translation>
</message>
<message>
<source>RTSTRUCT (.rtstruct.dcm)</source>
<translation>RTSTRUCT (.rtstruct.dcm)</translation>
</message>
<message>
<source>STL</source>
<translation>STL</translation>
</message>
</context>
<context>
<name>panel.compare</name>
<message>
<source>Organ</source>
<translation>Organ</translation>
</message>
<message>
<source>Organs of both segmentations, found by their names.</source>
<translation>Organe beider Segmentierungen, nach ihren Namen gefunden.</translation>
</message>
<message>
<source>Overlap: 1 is identical, 0 is apart.</source>
<translation>Überlappung: 1 heißt identisch, 0 heißt getrennt.</translation>
</message>
<message>
<source>Share of the two surfaces that lie within 2 mm of each other.</source>
<translation>Anteil der beiden Oberflächen, die höchstens 2 mm voneinander entfernt sind.</translation>
</message>
<message>
<source>Distance (mm) within which 95 % of the surfaces lie.</source>
<translation>Abstand (mm), in dem 95 % der Oberflächen liegen.</translation>
</message>
<message>
<source>Hide differences</source>
<translation>Unterschiede ausblenden</translation>
</message>
<message>
<source>Show differences</source>
<translation>Unterschiede zeigen</translation>
</message>
<message>
<source>Choose two segmentations.</source>
<translation>Wählen Sie zwei Segmentierungen.</translation>
</message>
<message>
<source>Choose two different segmentations.</source>
<translation>Wählen Sie zwei verschiedene Segmentierungen.</translation>
</message>
<message>
<source>{a} mL and {b} mL</source>
<translation>{a} mL und {b} mL</translation>
</message>
<message>
<source>mean of {count}</source>
<translation>Mittel aus {count}</translation>
</message>
<message>
<source>Of the organs that both segmentations have.</source>
<translation>Der Organe, die beide Segmentierungen haben.</translation>
</message>
<message>
<source>The difference is the segmentation “{name}”.</source>
<translation>Der Unterschied ist die Segmentierung „{name}“.</translation>
</message>
<message>
<source>Dice</source>
<translation>Dice</translation>
</message>
<message>
<source>HD95 mm</source>
<translation>HD95 mm</translation>
</message>
<message>
<source>NSD 2 mm</source>
<translation>NSD 2 mm</translation>
</message>
<message>
<source>only in {name}</source>
<translation>nur in {name}</translation>
</message>
</context>
<context>
<name>panel.correct</name>
<message>
<source>Choose the segmentation to correct.</source>
<translation>Wählen Sie die Segmentierung, die korrigiert wird.</translation>
</message>
<message>
<source>Its volume is not in the scene: load it, and choose it under Segment.</source>
<translation>Ihr Volumen ist nicht in der Szene: Laden Sie es, und wählen Sie es unter „Segmentieren“.</translation>
</message>
<message>
<source>Tick the organs to segment again.</source>
<translation>Kreuzen Sie die Organe an, die noch einmal segmentiert werden.</translation>
</message>
<message>
<source>The correction was undone.</source>
<translation>Die Korrektur wurde rückgängig gemacht.</translation>
</message>
<message>
<source>There is no correction to undo.</source>
<translation>Es gibt keine Korrektur, die sich rückgängig machen lässt.</translation>
</message>
<message>
<source>Wait until the run is done.</source>
<translation>Warten Sie, bis der Lauf fertig ist.</translation>
</message>
<message>
<source>Nothing was found.</source>
<translation>Nichts wurde gefunden.</translation>
</message>
<message>
<source>{organ}: {before} → {after} mL</source>
<translation>{organ}: {before} → {after} mL</translation>
</message>
<message>
<source>Its volume shows another frame of a sequence: go to the one that was segmented.</source>
<translation>Ihr Volumen zeigt ein anderes Bild einer Sequenz: Gehen Sie zu dem, das segmentiert wurde.</translation>
</message>
</context>
<context>
<name>panel.estimate</name>
<message>
<source>about {duration}, {memory} GB</source>
<translation>etwa {duration}, {memory} GB</translation>
</message>
</context>
<context>
<name>panel.firstuse</name>
<message>
<source>&lt;b&gt;First time here?&lt;/b&gt; Load a CT with &lt;i&gt;DICOM&lt;/i&gt; or &lt;i&gt;Add Data&lt;/i&gt;, or take &lt;i&gt;MetaUNETR phantom&lt;/i&gt; from &lt;i&gt;Sample Data&lt;/i&gt;. Press &lt;b&gt;Segment&lt;/b&gt;. Then click the organs in the table. &lt;a href="{url}"&gt;Tutorial&lt;/a&gt;</source>
<translation>&lt;b&gt;Zum ersten Mal hier?&lt;/b&gt; Laden Sie ein CT mit &lt;i&gt;DICOM&lt;/i&gt; oder &lt;i&gt;Daten hinzufügen&lt;/i&gt;, oder nehmen Sie &lt;i&gt;MetaUNETR phantom&lt;/i&gt; aus &lt;i&gt;Sample Data&lt;/i&gt;. Drücken Sie &lt;b&gt;Segmentieren&lt;/b&gt;. Klicken Sie dann in der Tabelle auf die Organe. &lt;a href="{url}"&gt;Tutorial (englisch)&lt;/a&gt;</translation>
</message>
<message>
<source>Nothing is uploaded. Research use only, not for diagnosis. &lt;a href="{url}"&gt;Help&lt;/a&gt;</source>
<translation>Nichts wird hochgeladen. Nur für die Forschung, nicht für Diagnosen. &lt;a href="{url}"&gt;Hilfe (englisch)&lt;/a&gt;</translation>
</message>
</context>
<context>
<name>panel.input</name>
<message>
<source>As the model ({overlap})</source>
<translation>Wie das Modell ({overlap})</translation>
</message>
<message>
<source>Choose a volume first.</source>
<translation>Wählen Sie zuerst ein Volumen.</translation>
</message>
<message>
<source>Tick at least one organ.</source>
<translation>Kreuzen Sie mindestens ein Organ an.</translation>
</message>
<message>
<source>Choose a model first: none called “{name}” was found.</source>
<translation>Wählen Sie zuerst ein Modell: „{name}“ wurde nicht gefunden.</translation>
</message>
<message>
<source>Organs: all {total}</source>
<translation>Organe: alle {total}</translation>
</message>
<message>
<source>Organs: {chosen} of {total}</source>
<translation>Organe: {chosen} von {total}</translation>
</message>
<message>
<source>Automatic</source>
<translation>Automatisch</translation>
</message>
<message>
<source>The GPU where it works, else the CPU. When memory runs out, the run goes on more slowly instead of failing.</source>
<translation>Die GPU, wo sie funktioniert, sonst die CPU. Reicht der Speicher nicht, läuft die Berechnung langsamer weiter, statt abzubrechen.</translation>
</message>
<message>
<source>Works on every computer.</source>
<translation>Funktioniert auf jedem Computer.</translation>
</message>
<message>
<source>What is fast and accurate on the device.</source>
<translation>Was auf dem Gerät schnell und genau ist.</translation>
</message>
<message>
<source>Exact, and slower on a GPU.</source>
<translation>Exakt, aber auf einer GPU langsamer.</translation>
</message>
<message>
<source>Fast on new GPUs and CPUs.</source>
<translation>Schnell auf neuen GPUs und CPUs.</translation>
</message>
<message>
<source>Fast on most GPUs.</source>
<translation>Schnell auf den meisten GPUs.</translation>
</message>
<message>
<source>16 bit (bfloat16)</source>
<translation>16 Bit (bfloat16)</translation>
</message>
<message>
<source>16 bit (float16)</source>
<translation>16 Bit (float16)</translation>
</message>
<message>
<source>32 bit</source>
<translation>32 Bit</translation>
</message>
<message>
<source>CPU</source>
<translation>CPU</translation>
</message>
</context>
<context>
<name>panel.models</name>
<message>
<source>{name} (cannot be used)</source>
<translation>{name} (nicht benutzbar)</translation>
</message>
<message>
<source>Model</source>
<translation>Modell</translation>
</message>
<message>
<source>Organs (Dice)</source>
<translation>Organe (Dice)</translation>
</message>
<message>
<source>Organs</source>
<translation>Organe</translation>
</message>
<message>
<source>Measured on</source>
<translation>Gemessen an</translation>
</message>
<message>
<source>Spacing</source>
<translation>Voxelabstand</translation>
</message>
<message>
<source>Training data</source>
<translation>Trainingsdaten</translation>
</message>
<message>
<source>Licence of the weights</source>
<translation>Lizenz der Gewichte</translation>
</message>
<message>
<source>Use</source>
<translation>Verwendung</translation>
</message>
<message>
<source>Gain</source>
<translation>Gewinn</translation>
</message>
<message>
<source>mean Dice of the corrected organs {before} → {after} in {count} held-out CTs</source>
<translation>mittlerer Dice der korrigierten Organe {before} → {after} in {count} zurückgehaltenen CTs</translation>
</message>
</context>
<context>
<name>panel.progress</name>
<message>
<source>Searching for CTs</source>
<translation>CTs werden gesucht</translation>
</message>
<message>
<source>Reading the volume</source>
<translation>Volumen wird gelesen</translation>
</message>
<message>
<source>Loading the model</source>
<translation>Modell wird geladen</translation>
</message>
<message>
<source>Checking the image</source>
<translation>Bild wird geprüft</translation>
</message>
<message>
<source>Resampling</source>
<translation>Bild wird umgerechnet</translation>
</message>
<message>
<source>Measuring the speed of this computer</source>
<translation>Geschwindigkeit dieses Computers wird gemessen</translation>
</message>
<message>
<source>Segmenting</source>
<translation>Organe werden segmentiert</translation>
</message>
<message>
<source>Restoring the resolution</source>
<translation>Auflösung wird wiederhergestellt</translation>
</message>
<message>
<source>Measuring organs</source>
<translation>Organe werden vermessen</translation>
</message>
<message>
<source>Writing</source>
<translation>Ergebnis wird geschrieben</translation>
</message>
<message>
<source>: window {done} of {total}</source>
<translation>: Fenster {done} von {total}</translation>
</message>
<message>
<source>, {duration} left</source>
<translation>, noch {duration}</translation>
</message>
<message>
<source>Case {number} of {total}, {name}</source>
<translation>Fall {number} von {total}, {name}</translation>
</message>
<message>
<source> · all cases: {duration} left</source>
<translation> · alle Fälle: noch {duration}</translation>
</message>
<message>
<source>{hours} h {minutes} min</source>
<translation>{hours} h {minutes} min</translation>
</message>
<message>
<source>{minutes} min {seconds} s</source>
<translation>{minutes} min {seconds} s</translation>
</message>
<message>
<source>{seconds} s</source>
<translation>{seconds} s</translation>
</message>
</context>
<context>
<name>panel.results</name>
<message>
<source>Click an eye to show or hide an organ.</source>
<translation>Ein Klick auf ein Auge zeigt oder verbirgt ein Organ.</translation>
</message>
<message>
<source>Organ</source>
<translation>Organ</translation>
</message>
<message>
<source>Click an organ, or move with the arrow keys, to jump to its centre. Double-click to show it alone, and again to show all.</source>
<translation>Ein Klick auf ein Organ oder die Pfeiltasten springen zu seiner Mitte. Ein Doppelklick zeigt es allein, ein zweiter wieder alle.</translation>
</message>
<message>
<source>Volume in millilitres.</source>
<translation>Volumen in Milliliter.</translation>
</message>
<message>
<source>Mean CT number inside the organ; its tooltip has the deviation.</source>
<translation>Mittlerer CT-Wert im Organ; der Tooltip nennt die Standardabweichung.</translation>
</message>
<message>
<source>Conf.</source>
<translation>Konf.</translation>
</message>
<message>
<source>Confidence: the expected Dice if the model is calibrated, else the mean probability over the organ's voxels.</source>
<translation>Konfidenz: der zu erwartende Dice, wenn das Modell kalibriert ist, sonst die mittlere Wahrscheinlichkeit der Voxel des Organs.</translation>
</message>
<message>
<source>Flags</source>
<translation>Hinweise</translation>
</message>
<message>
<source>edited since</source>
<translation>seitdem bearbeitet</translation>
</message>
<message>
<source>There is no result yet: press Segment, or choose one above.</source>
<translation>Es gibt noch kein Ergebnis: Drücken Sie „Segmentieren“, oder wählen Sie oben eines.</translation>
</message>
<message>
<source>This Slicer was built without DICOM.</source>
<translation>Dieser Slicer wurde ohne DICOM kompiliert.</translation>
</message>
<message>
<source>No organ is marked with ⚠.</source>
<translation>Kein Organ trägt ein ⚠.</translation>
</message>
<message>
<source>shown</source>
<translation>sichtbar</translation>
</message>
<message>
<source>hidden</source>
<translation>verborgen</translation>
</message>
<message>
<source>The statistics are in the table “{name}”.</source>
<translation>Die Statistik steht in der Tabelle „{name}“.</translation>
</message>
<message>
<source>Save statistics</source>
<translation>Statistik speichern</translation>
</message>
<message>
<source>Table (*.csv)</source>
<translation>Tabelle (*.csv)</translation>
</message>
<message>
<source>{path} cannot be written: {reason}. Choose another folder.</source>
<translation>{path} lässt sich nicht schreiben: {reason}. Wählen Sie einen anderen Ordner.</translation>
</message>
<message>
<source>The statistics are in {path}.</source>
<translation>Die Statistik steht in {path}.</translation>
</message>
<message>
<source>HU</source>
<translation>HU</translation>
</message>
<message>
<source>What looks wrong and should be looked at; ↻ was segmented again with Correct, ✎ is edited by hand.</source>
<translation>Was falsch aussieht und geprüft werden sollte; ↻ wurde mit „Korrigieren“ noch einmal segmentiert, ✎ ist von Hand bearbeitet.</translation>
</message>
<message>
<source>mL</source>
<translation>mL</translation>
</message>
<message>
<source>segmented again with Correct</source>
<translation>mit „Korrigieren“ noch einmal segmentiert</translation>
</message>
<message>
<source>{mean} ± {deviation} HU</source>
<translation>{mean} ± {deviation} HU</translation>
</message>
</context>
<context>
<name>panel.run</name>
<message>
<source>Starting …</source>
<translation>Start …</translation>
</message>
<message>
<source>Cancel</source>
<translation>Abbrechen</translation>
</message>
<message>
<source>Stop the run. The scene stays as it was.</source>
<translation>Den Lauf abbrechen. Die Szene bleibt, wie sie war.</translation>
</message>
<message>
<source>Cancelled. The scene is as it was before.</source>
<translation>Abgebrochen. Die Szene ist wie vorher.</translation>
</message>
<message>
<source>Unexpected error: {error}. Please report it, with “Copy report” in the log below.</source>
<translation>Unerwarteter Fehler: {error}. Bitte melden Sie ihn mit „Bericht kopieren“ im Protokoll unten.</translation>
</message>
<message>
<source>Done in {duration}.</source>
<translation>Fertig in {duration}.</translation>
</message>
<message>
<source>Done in {duration} on {device}.</source>
<translation>Fertig in {duration} auf {device}.</translation>
</message>
</context>
<context>
<name>panel.segment</name>
<message>
<source>1 edited segment was kept; the new one is called {name}.</source>
<translation>1 bearbeitetes Segment blieb erhalten; das neue heißt {name}.</translation>
</message>
<message>
<source>{count} edited segments were kept; the new ones are called {names}.</source>
<translation>{count} bearbeitete Segmente blieben erhalten; die neuen heißen {names}.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.corrections</name>
<message>
<source>Its volume is not in the scene: load it first.</source>
<translation>Ihr Volumen ist nicht in der Szene: Laden Sie es zuerst.</translation>
</message>
<message>
<source>Its volume shows another frame of a sequence: go to the one that was segmented.</source>
<translation>Ihr Volumen zeigt ein anderes Bild einer Sequenz: Gehen Sie zu dem, das segmentiert wurde.</translation>
</message>
<message>
<source>No organ has been corrected: edit one in Segment Editor.</source>
<translation>Kein Organ wurde korrigiert: Bearbeiten Sie eines im Segment Editor.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.ownmodels</name>
<message>
<source>A name may have letters, digits, spaces, dots and dashes: {name}</source>
<translation>Ein Name darf Buchstaben, Ziffern, Leerzeichen, Punkte und Striche haben: {name}</translation>
</message>
<message>
<source>Another model is called {name}; choose another name.</source>
<translation>Ein anderes Modell heißt {name}; wählen Sie einen anderen Namen.</translation>
</message>
</context>
<context>
<name>panel.adapt</name>
<message>
<source>Adapt</source>
<translation>Anpassen</translation>
</message>
<message>
<source>Adapt (unfinished)</source>
<translation>Anpassen (unfertig)</translation>
</message>
<message>
<source>At most {minutes} min for {count} trainings, {memory} GB of memory, {disk} GB of disk.</source>
<translation>Höchstens {minutes} min für {count} Trainings, {memory} GB Arbeitsspeicher, {disk} GB auf der Festplatte.</translation>
</message>
<message>
<source>Cancelled. Press Go on to continue, or Discard.</source>
<translation>Abgebrochen. Drücken Sie „Fortsetzen“ oder „Verwerfen“.</translation>
</message>
<message>
<source>Choose a model under Segment.</source>
<translation>Wählen Sie unter „Segmentieren“ ein Modell.</translation>
</message>
<message>
<source>Choose the folders of the CTs and of the results in the tab Batch.</source>
<translation>Wählen Sie im Reiter „Stapel“ die Ordner der CTs und der Ergebnisse.</translation>
</message>
<message>
<source>Correct organs in Segment Editor, in at least {count} CTs.</source>
<translation>Korrigieren Sie Organe im Segment Editor, in mindestens {count} CTs.</translation>
</message>
<message>
<source>Go on</source>
<translation>Fortsetzen</translation>
</message>
<message>
<source>Go on with the unfinished model above, or discard it.</source>
<translation>Setzen Sie das unfertige Modell oben fort, oder verwerfen Sie es.</translation>
</message>
<message>
<source>Keep the model anyway</source>
<translation>Modell trotzdem behalten</translation>
</message>
<message>
<source>No model was written: {reason}.</source>
<translation>Kein Modell wurde gespeichert: {reason}.</translation>
</message>
<message>
<source>Searching for results that were edited …</source>
<translation>Bearbeitete Ergebnisse werden gesucht …</translation>
</message>
<message>
<source>The new model is {name}: mean Dice of the corrected organs {before} → {after} in held-out CTs.</source>
<translation>Das neue Modell ist {name}: mittlerer Dice der korrigierten Organe {before} → {after} in zurückgehaltenen CTs.</translation>
</message>
<message>
<source>Tick at least {count} cases: some are held out to measure the gain.</source>
<translation>Kreuzen Sie mindestens {count} Fälle an: Einige werden zurückgehalten, um den Gewinn zu messen.</translation>
</message>
<message>
<source>Wait until the run is done.</source>
<translation>Warten Sie, bis der Lauf fertig ist.</translation>
</message>
<message>
<source>estimating …</source>
<translation>wird geschätzt …</translation>
</message>
<message>
<source>{count} edited results were found.</source>
<translation>{count} bearbeitete Ergebnisse gefunden.</translation>
</message>
<message>
<source>{name} is not better: {reason}. What was trained is kept in {folder}.</source>
<translation>{name} ist nicht besser: {reason}. Was trainiert wurde, liegt in {folder}.</translation>
</message>
<message>
<source>{name} is unfinished. What was done is kept in {folder}.</source>
<translation>{name} ist unfertig. Was schon getan ist, liegt in {folder}.</translation>
</message>
<message>
<source>{stage}, {duration} left at most</source>
<translation>{stage}, noch höchstens {duration}</translation>
</message>
</context>
<context>
<name>panel.remember</name>
<message>
<source>Forget this correction</source>
<translation>Diese Korrektur vergessen</translation>
</message>
<message>
<source>Remember this correction</source>
<translation>Diese Korrektur vormerken</translation>
</message>
<message>
<source>Remembered: {organs}. The copy of {size} is in {folder}; the tab Adapt learns from it.</source>
<translation>Vorgemerkt: {organs}. Die Kopie von {size} liegt in {folder}; der Reiter „Anpassen“ lernt daraus.</translation>
</message>
<message>
<source>Remembering the correction …</source>
<translation>Korrektur wird vorgemerkt …</translation>
</message>
<message>
<source>The correction was forgotten, and its copy deleted.</source>
<translation>Die Korrektur ist vergessen und ihre Kopie gelöscht.</translation>
</message>
<message>
<source>{path} cannot be deleted: {reason}.</source>
<translation>{path} lässt sich nicht löschen: {reason}.</translation>
</message>
<message>
<source>{size} MB</source>
<translation>{size} MB</translation>
</message>
</context>
</TS>
