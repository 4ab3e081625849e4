<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr_FR">
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
Segmente les organes abdominaux d'un scanner : choisissez le volume, appuyez sur &lt;b&gt;Segmenter&lt;/b&gt;. Le modèle est fourni
et s'exécute sur cet ordinateur, avec ou sans GPU ; rien n'est envoyé.
&lt;a href="https://github.com/lyupengju/MetaUNETR/blob/main/docs/slicer.md"&gt;Tutoriel et aide (en anglais)&lt;/a&gt;.&lt;br&gt;
&lt;b&gt;Réservé à la recherche. Ni diagnostic ni traitement.&lt;/b&gt;
</translation>
</message>
<message>
<source>
Lyu, Zhang, Zhang, Liu, Wang, Zhu: MetaUNETR: Rethinking Token Mixer Encoding for Efficient
Multi-Organ Segmentation. MICCAI 2024. Please cite this paper if you use the module in your work.
</source>
<translation>
Lyu, Zhang, Zhang, Liu, Wang, Zhu : MetaUNETR: Rethinking Token Mixer Encoding for Efficient
Multi-Organ Segmentation. MICCAI 2024. Merci de citer cet article si vous utilisez le module.
</translation>
</message>
<message>
<source>What is missing, and what will be installed.</source>
<translation>Ce qui manque, et ce qui sera installé.</translation>
</message>
<message>
<source>Install now what is missing; otherwise you are asked at the first run.</source>
<translation>Installer maintenant ce qui manque ; sinon la question est posée à la première exécution.</translation>
</message>
<message>
<source>Install…</source>
<translation>Installer…</translation>
</message>
<message>
<source>For computers without internet: a folder of wheels that was filled on another computer with the copied command.</source>
<translation>Pour les ordinateurs sans internet : un dossier de wheels, rempli sur un autre ordinateur avec la commande copiée.</translation>
</message>
<message>
<source>Install from folder…</source>
<translation>Installer depuis un dossier…</translation>
</message>
<message>
<source>Copy the command that fills such a folder on a computer with internet.</source>
<translation>Copier la commande qui remplit un tel dossier sur un ordinateur connecté.</translation>
</message>
<message>
<source>Copy command</source>
<translation>Copier la commande</translation>
</message>
<message>
<source>Gone after the first run.</source>
<translation>Disparaît après la première exécution.</translation>
</message>
<message>
<source>Segment</source>
<translation>Segmenter</translation>
</message>
<message>
<source>One volume</source>
<translation>Un volume</translation>
</message>
<message>
<source>Volume:</source>
<translation>Volume :</translation>
</message>
<message>
<source>The CT to segment, in Hounsfield units. By default the one that the slice views show.</source>
<translation>Le scanner à segmenter, en unités Hounsfield. Par défaut, celui que montrent les vues en coupe.</translation>
</message>
<message>
<source>Select a CT volume</source>
<translation>Choisir un volume</translation>
</message>
<message>
<source>Segment the organs of the volume. Nothing in the scene changes until it is done.</source>
<translation>Segmenter les organes du volume. Rien ne change dans la scène avant la fin.</translation>
</message>
<message>
<source>The volume, and what its run will take on this computer: time, and memory (GB) of its own process.</source>
<translation>Le volume, et ce que son exécution demande à cet ordinateur : du temps, et de la mémoire (Go) pour son propre processus.</translation>
</message>
<message>
<source>How far the run is.</source>
<translation>Avancement de l'exécution.</translation>
</message>
<message>
<source>What the run is doing, and how it ended.</source>
<translation>Ce que fait l'exécution, et comment elle s'est terminée.</translation>
</message>
<message>
<source>What went wrong or should be known, and the way out.</source>
<translation>Ce qui a échoué ou qu'il faut savoir, et comment y remédier.</translation>
</message>
<message>
<source>Results</source>
<translation>Résultats</translation>
</message>
<message>
<source>Shown:</source>
<translation>Affichée :</translation>
</message>
<message>
<source>The segmentation whose organs are listed.</source>
<translation>La segmentation dont les organes sont listés.</translation>
</message>
<message>
<source>None yet</source>
<translation>Aucune encore</translation>
</message>
<message>
<source>Click an organ, or move with the arrow keys, to jump to its centre. Double-click to show it alone, and again to show all.</source>
<translation>Cliquez sur un organe, ou utilisez les flèches, pour aller à son centre. Double-cliquez pour l'afficher seul, et encore pour tous les afficher.</translation>
</message>
<message>
<source>Opacity:</source>
<translation>Opacité :</translation>
</message>
<message>
<source>How opaque the organs are, in percent.</source>
<translation>L'opacité des organes, en pour cent.</translation>
</message>
<message>
<source>How opaque the organs are in all views, in percent. Default: 100.</source>
<translation>L'opacité des organes dans toutes les vues, en pour cent. Par défaut : 100.</translation>
</message>
<message>
<source>Jump to the next organ that should be looked at.</source>
<translation>Aller à l'organe suivant qui est à vérifier.</translation>
</message>
<message>
<source>Next ⚠</source>
<translation>Suivant ⚠</translation>
</message>
<message>
<source>What looks wrong and should be looked at.</source>
<translation>Ce qui semble faux et doit être vérifié.</translation>
</message>
<message>
<source>Show the organs as surfaces in the 3D view. They are made now, which takes a few seconds.</source>
<translation>Afficher les organes en surfaces dans la vue 3D. Elles sont calculées maintenant, en quelques secondes.</translation>
</message>
<message>
<source>Show 3D</source>
<translation>Afficher en 3D</translation>
</message>
<message>
<source>Open the result in Segment Editor.</source>
<translation>Ouvrir le résultat dans Segment Editor.</translation>
</message>
<message>
<source>Edit</source>
<translation>Modifier</translation>
</message>
<message>
<source>Put volumes and HU into a table of the scene.</source>
<translation>Mettre les volumes et les UH dans un tableau de la scène.</translation>
</message>
<message>
<source>Table</source>
<translation>Tableau</translation>
</message>
<message>
<source>Save volumes, HU, confidence and flags as a CSV file.</source>
<translation>Enregistrer volumes, UH, confiance et alertes dans un fichier CSV.</translation>
</message>
<message>
<source>Save CSV…</source>
<translation>CSV…</translation>
</message>
<message>
<source>Where the statistics and copies went.</source>
<translation>Où se trouvent les statistiques et les copies.</translation>
</message>
<message>
<source>Export</source>
<translation>Exporter</translation>
</message>
<message>
<source>Export the segments as files: STL, OBJ, NRRD, NIfTI.</source>
<translation>Exporter les segments en fichiers : STL, OBJ, NRRD, NIfTI.</translation>
</message>
<message>
<source>Export as DICOM segmentation, in Slicer's DICOM export.</source>
<translation>Exporter en segmentation DICOM, avec l'export DICOM de Slicer.</translation>
</message>
<message>
<source>Organs</source>
<translation>Organes</translation>
</message>
<message>
<source>The organs to segment. Fewer organs take less time after the network has run.</source>
<translation>Les organes à segmenter. Avec moins d'organes, l'étape qui suit le réseau est plus courte.</translation>
</message>
<message>
<source>Tick every organ of the model.</source>
<translation>Cocher tous les organes du modèle.</translation>
</message>
<message>
<source>All</source>
<translation>Tous</translation>
</message>
<message>
<source>Untick every organ.</source>
<translation>Décocher tous les organes.</translation>
</message>
<message>
<source>None</source>
<translation>Aucun</translation>
</message>
<message>
<source>Advanced</source>
<translation>Avancé</translation>
</message>
<message>
<source>Model:</source>
<translation>Modèle :</translation>
</message>
<message>
<source>The model that finds the organs.</source>
<translation>Le modèle qui trouve les organes.</translation>
</message>
<message>
<source>Result:</source>
<translation>Résultat :</translation>
</message>
<message>
<source>Where the organs go: a new segmentation beside the volume (default), or one that is there. In that one, only segments that this module made and nobody touched are replaced.</source>
<translation>Où vont les organes : dans une nouvelle segmentation à côté du volume (par défaut), ou dans une existante. Dans celle-ci, seuls sont remplacés les segments que ce module a créés et que personne n'a modifiés.</translation>
</message>
<message>
<source>New segmentation</source>
<translation>Nouvelle segmentation</translation>
</message>
<message>
<source>Device:</source>
<translation>Appareil :</translation>
</message>
<message>
<source>What computes: a GPU is faster, the CPU is always there. Default: automatic, a GPU where it works.</source>
<translation>Le matériel de calcul : un GPU est plus rapide, un CPU est toujours présent. Par défaut : automatique, un GPU là où il fonctionne.</translation>
</message>
<message>
<source>Window overlap:</source>
<translation>Recouvrement des fenêtres :</translation>
</message>
<message>
<source>How far neighbouring windows overlap, as a share of their size. More is slower, and smoother where windows meet. Default: the model's own.</source>
<translation>Le recouvrement des fenêtres voisines, en part de leur taille. Plus est plus lent, et plus lisse où les fenêtres se rejoignent. Par défaut : celui du modèle.</translation>
</message>
<message>
<source>Precision:</source>
<translation>Précision :</translation>
</message>
<message>
<source>Of the arithmetic in the network. Default: automatic.</source>
<translation>Précision des calculs du réseau. Par défaut : automatique.</translation>
</message>
<message>
<source>Region:</source>
<translation>Région :</translation>
</message>
<message>
<source>Only what lies inside this region is labelled. Default: the whole volume.</source>
<translation>Seul est segmenté ce qui se trouve dans cette région. Par défaut : tout le volume.</translation>
</message>
<message>
<source>Whole volume</source>
<translation>Tout le volume</translation>
</message>
<message>
<source>Region</source>
<translation>Région</translation>
</message>
<message>
<source>Removes every separate part but the largest one. Default: off.</source>
<translation>Retire toutes les parties séparées sauf la plus grande. Par défaut : non.</translation>
</message>
<message>
<source>Keep the largest part of each organ only</source>
<translation>Ne garder que la plus grande partie de chaque organe</translation>
</message>
<message>
<source>Also makes a volume that shows in percent how unsure the model is. Default: off.</source>
<translation>Crée aussi un volume qui montre en pour cent l'incertitude du modèle. Par défaut : non.</translation>
</message>
<message>
<source>Make a volume of the uncertainty</source>
<translation>Créer un volume de l'incertitude</translation>
</message>
<message>
<source>Give the segments the colours of Slicer's terminology, of which many look alike. Default: off, the colours of this module, which can be told apart. Codes are the same.</source>
<translation>Donne aux segments les couleurs de la terminologie de Slicer, dont beaucoup se ressemblent. Par défaut : non, les couleurs de ce module, qui se distinguent. Les codes sont les mêmes.</translation>
</message>
<message>
<source>Colours of the terminology</source>
<translation>Couleurs de la terminologie</translation>
</message>
<message>
<source>Correct</source>
<translation>Corriger</translation>
</message>
<message>
<source>Segmentation:</source>
<translation>Segmentation :</translation>
</message>
<message>
<source>The segmentation to correct.</source>
<translation>La segmentation à corriger.</translation>
</message>
<message>
<source>Select a segmentation</source>
<translation>Choisir une segmentation</translation>
</message>
<message>
<source>Organs to segment again</source>
<translation>Organes à segmenter à nouveau</translation>
</message>
<message>
<source>Bring back what the last correction has replaced.</source>
<translation>Rétablir ce que la dernière correction a remplacé.</translation>
</message>
<message>
<source>Undo</source>
<translation>Annuler</translation>
</message>
<message>
<source>What is still to be chosen.</source>
<translation>Ce qu'il reste à choisir.</translation>
</message>
<message>
<source>Compare</source>
<translation>Comparer</translation>
</message>
<message>
<source>Two segmentations</source>
<translation>Deux segmentations</translation>
</message>
<message>
<source>Compares the organs of two segmentations, such as a result and a manual one.</source>
<translation>Compare les organes de deux segmentations, comme un résultat et une manuelle.</translation>
</message>
<message>
<source>First:</source>
<translation>Première :</translation>
</message>
<message>
<source>The segmentation to score.</source>
<translation>La segmentation à évaluer.</translation>
</message>
<message>
<source>Reference:</source>
<translation>Référence :</translation>
</message>
<message>
<source>What it is compared with.</source>
<translation>Ce à quoi elle est comparée.</translation>
</message>
<message>
<source>Measure Dice, surface Dice (NSD) and distance of every organ.</source>
<translation>Mesurer le Dice, le Dice des surfaces (NSD) et la distance de chaque organe.</translation>
</message>
<message>
<source>The scores of each organ.</source>
<translation>Les mesures de chaque organe.</translation>
</message>
<message>
<source>Make a segmentation of the voxels where the two differ.</source>
<translation>Créer une segmentation des voxels où les deux diffèrent.</translation>
</message>
<message>
<source>Show differences</source>
<translation>Montrer les différences</translation>
</message>
<message>
<source>The colours of the differences.</source>
<translation>Les couleurs des différences.</translation>
</message>
<message>
<source>Batch</source>
<translation>Lot</translation>
</message>
<message>
<source>Many volumes</source>
<translation>Plusieurs volumes</translation>
</message>
<message>
<source>Segments every CT in a folder. Model, organs and device are those chosen under Segment.</source>
<translation>Segmente tous les scanners d'un dossier. Le modèle, les organes et l'appareil sont ceux choisis sous « Segmenter ».</translation>
</message>
<message>
<source>CTs in:</source>
<translation>Scanners dans :</translation>
</message>
<message>
<source>Folder with DICOM series, NIfTI and NRRD files; folders inside it are searched too.</source>
<translation>Dossier avec des séries DICOM, des fichiers NIfTI et NRRD ; ses sous-dossiers sont parcourus aussi.</translation>
</message>
<message>
<source>Results to:</source>
<translation>Résultats dans :</translation>
</message>
<message>
<source>Folder for a segmentation of each case, and organs.csv and index.html of all.</source>
<translation>Dossier pour une segmentation de chaque cas, et organs.csv et index.html de tous.</translation>
</message>
<message>
<source>Format:</source>
<translation>Format :</translation>
</message>
<message>
<source>Of the segmentations. Default: Slicer segmentation.</source>
<translation>Celui des segmentations. Par défaut : segmentation de Slicer.</translation>
</message>
<message>
<source>Surfaces:</source>
<translation>Surfaces :</translation>
</message>
<message>
<source>Also write the organs' surfaces. Default: none.</source>
<translation>Écrire aussi les surfaces des organes. Par défaut : non.</translation>
</message>
<message>
<source>Does only what is missing or older than its input. Default: on.</source>
<translation>Ne calcule que ce qui manque ou est plus ancien que son entrée. Par défaut : oui.</translation>
</message>
<message>
<source>Skip cases that are done</source>
<translation>Sauter les cas déjà faits</translation>
</message>
<message>
<source>Segment all cases, one after the other. One that fails is reported, the others go on.</source>
<translation>Segmenter tous les cas, l'un après l'autre. Un échec est signalé, et les autres continuent.</translation>
</message>
<message>
<source>Start batch</source>
<translation>Démarrer le lot</translation>
</message>
<message>
<source>The cases. Click one that is done to load it with its result.</source>
<translation>Les cas. Cliquez sur un cas terminé pour le charger avec son résultat.</translation>
</message>
<message>
<source>Open the page of all cases, index.html, with pictures and flags.</source>
<translation>Ouvrir la page de tous les cas, index.html, avec images et alertes.</translation>
</message>
<message>
<source>Open overview</source>
<translation>Ouvrir la vue d'ensemble</translation>
</message>
<message>
<source>Open the folder of the results.</source>
<translation>Ouvrir le dossier des résultats.</translation>
</message>
<message>
<source>Open folder</source>
<translation>Ouvrir le dossier</translation>
</message>
<message>
<source>Log</source>
<translation>Journal</translation>
</message>
<message>
<source>What happened, with times.</source>
<translation>Ce qui s'est passé, avec les heures.</translation>
</message>
<message>
<source>Copy versions, the reproducibility record and the log, for a bug report.</source>
<translation>Copier les versions, les données de reproductibilité et le journal, pour un rapport d'erreur.</translation>
</message>
<message>
<source>Copy report</source>
<translation>Copier le rapport</translation>
</message>
<message>
<source>Nothing is uploaded. Research use only, not for diagnosis.</source>
<translation>Rien n'est envoyé. Réservé à la recherche, pas au diagnostic.</translation>
</message>
<message>
<source>The model runs on this computer.</source>
<translation>Le modèle s'exécute sur cet ordinateur.</translation>
</message>
<message>
<source>A model learns from your corrections</source>
<translation>Un modèle apprend de vos corrections</translation>
</message>
<message>
<source>A model learns from your corrections, on this computer. Correct organs in Segment Editor, in at least three CTs, and remember each correction below the results. It starts from the model that is chosen under Segment.</source>
<translation>Un modèle apprend de vos corrections, sur cet ordinateur. Corrigez des organes dans Segment Editor, dans au moins trois scanners, et mémorisez chaque correction sous les résultats. Le point de départ est le modèle choisi sous « Segmenter ».</translation>
</message>
<message>
<source>A run that was stopped, or whose model was not better.</source>
<translation>Une exécution qui a été arrêtée, ou dont le modèle n'était pas meilleur.</translation>
</message>
<message>
<source>Adapt</source>
<translation>Adapter</translation>
</message>
<message>
<source>Adapted models:</source>
<translation>Modèles adaptés :</translation>
</message>
<message>
<source>Add edited results of Batch</source>
<translation>Résultats modifiés du lot</translation>
</message>
<message>
<source>Choose it under Segment.</source>
<translation>Le choisir sous « Segmenter ».</translation>
</message>
<message>
<source>Continue where it stopped.</source>
<translation>Reprendre là où elle s'est arrêtée.</translation>
</message>
<message>
<source>Copy the CT (at the spacing of the model, 256 grey levels, cropped to the body, without name, date or number of the patient) and the corrected organs into a folder of yours, from which the tab Adapt learns.</source>
<translation>Copier le scanner (à l'espacement du modèle, en 256 niveaux de gris, recadré sur le corps, sans nom, date ni numéro du patient) et les organes corrigés dans un dossier de votre ordinateur, dont apprend l'onglet « Adapter ».</translation>
</message>
<message>
<source>Copy the model into a folder, for a colleague.</source>
<translation>Copier le modèle dans un dossier, pour un collègue.</translation>
</message>
<message>
<source>DICOM SEG…</source>
<translation>DICOM SEG…</translation>
</message>
<message>
<source>Delete the copy of the selected case.</source>
<translation>Supprimer la copie du cas sélectionné.</translation>
</message>
<message>
<source>Delete the model.</source>
<translation>Supprimer le modèle.</translation>
</message>
<message>
<source>Delete what was kept.</source>
<translation>Supprimer ce qui a été conservé.</translation>
</message>
<message>
<source>Delete…</source>
<translation>Supprimer…</translation>
</message>
<message>
<source>Discard</source>
<translation>Abandonner</translation>
</message>
<message>
<source>Export…</source>
<translation>Exporter…</translation>
</message>
<message>
<source>Forget</source>
<translation>Oublier</translation>
</message>
<message>
<source>Give the model another name.</source>
<translation>Donner un autre nom au modèle.</translation>
</message>
<message>
<source>Go on</source>
<translation>Continuer</translation>
</message>
<message>
<source>How many corrections are remembered, their size and their folder.</source>
<translation>Le nombre de corrections mémorisées, leur taille et leur dossier.</translation>
</message>
<message>
<source>How much of the time is over.</source>
<translation>La part du temps écoulée.</translation>
</message>
<message>
<source>MetaUNETR Segment</source>
<translation>MetaUNETR Segment</translation>
</message>
<message>
<source>Models that were adapted here.</source>
<translation>Modèles qui ont été adaptés ici.</translation>
</message>
<message>
<source>Remember this correction</source>
<translation>Mémoriser cette correction</translation>
</message>
<message>
<source>Rename…</source>
<translation>Renommer…</translation>
</message>
<message>
<source>Scores in CTs that the model had not learned from: before and after.</source>
<translation>Mesures dans des scanners dont le modèle n'a pas appris : avant et après.</translation>
</message>
<message>
<source>Search the results of the tab Batch for segmentations that were edited and saved since.</source>
<translation>Chercher dans les résultats de l'onglet « Lot » les segmentations modifiées et enregistrées depuis.</translation>
</message>
<message>
<source>Segment the ticked organs again.</source>
<translation>Segmenter à nouveau les organes cochés.</translation>
</message>
<message>
<source>Segments the ticked organs again, everywhere or inside a region, and keeps everything else as it is.</source>
<translation>Segmente à nouveau les organes cochés, partout ou dans une région, et laisse tout le reste tel quel.</translation>
</message>
<message>
<source>Some organs again</source>
<translation>Quelques organes à nouveau</translation>
</message>
<message>
<source>The cases to learn from.</source>
<translation>Les cas dont le modèle apprend.</translation>
</message>
<message>
<source>The most that everything may take, in minutes. With more time the model learns more. Default: 30 minutes.</source>
<translation>La durée maximale de l'ensemble, en minutes. Avec plus de temps, le modèle apprend davantage. Par défaut : 30 minutes.</translation>
</message>
<message>
<source>Their voxels are replaced, in the region if there is one.</source>
<translation>Leurs voxels sont remplacés ; s'il y a une région, seulement dans celle-ci.</translation>
</message>
<message>
<source>Time (minutes):</source>
<translation>Durée (minutes) :</translation>
</message>
<message>
<source>Train a model on the ticked cases, and measure the gain on CTs that it has not learned from. It is written only if it is better.</source>
<translation>Entraîner un modèle sur les cas cochés, et mesurer le gain dans des scanners dont il n'a pas appris. Il n'est enregistré que s'il est meilleur.</translation>
</message>
<message>
<source>Use this model</source>
<translation>Utiliser</translation>
</message>
<message>
<source>What is still to be chosen, or what the run will take.</source>
<translation>Ce qu'il reste à choisir, ou ce que demande l'exécution.</translation>
</message>
<message>
<source>Where to segment again. A new region begins around the ticked organs: drag its handles. Default: the whole volume.</source>
<translation>Où segmenter à nouveau. Une nouvelle région est d'abord placée autour des organes cochés : tirez ses poignées. Par défaut : tout le volume.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.comparison</name>
<message>
<source>{first} and {second} must have an organ in common, by terminology or name; known names are {names}.</source>
<translation>{first} et {second} doivent avoir un organe en commun, par terminologie ou nom ; les noms connus sont {names}.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.correction</name>
<message>
<source>Nothing was undone: the {name} was changed since.</source>
<translation>Rien n'a été annulé : {name} a été modifié depuis.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.dependencies</name>
<message>
<source>about 200 MB, with an NVIDIA GPU up to 4 GB</source>
<translation>environ 200 Mo, avec un GPU NVIDIA jusqu'à 4 Go</translation>
</message>
<message>
<source>less than 1 MB</source>
<translation>moins de 1 Mo</translation>
</message>
<message>
<source>Before the first segmentation, this is downloaded and installed into Slicer's Python:

{names}

It takes some minutes, in which Slicer may not respond; then the segmentation starts. Images are never uploaded.

Without internet, cancel and use Install from folder.

Install now?</source>
<translation>Avant la première segmentation, ceci est téléchargé et installé dans le Python de Slicer :

{names}

Cela prend quelques minutes, pendant lesquelles Slicer peut ne pas répondre ; puis la segmentation commence. Les images ne sont jamais envoyées.

Sans internet, annulez et utilisez « Installer depuis un dossier ».

Installer maintenant ?</translation>
</message>
<message>
<source>Missing: {names}. Nothing is installed while Slicer tests itself.</source>
<translation>Il manque : {names}. Rien n'est installé pendant que Slicer se teste.</translation>
</message>
<message>
<source>Nothing was installed. The segmentation needs {names}; you will be asked again at the next run.</source>
<translation>Rien n'a été installé. La segmentation a besoin de {names} ; la question sera posée à la prochaine exécution.</translation>
</message>
<message>
<source>Still missing after the installation: {names}. Restart Slicer and try again.</source>
<translation>Il manque encore après l'installation : {names}. Redémarrez Slicer et réessayez.</translation>
</message>
<message>
<source>{torch} is needed, and an older PyTorch is in use in this Slicer. Restart Slicer and segment before you use anything else that needs PyTorch.</source>
<translation>{torch} est nécessaire, et un PyTorch plus ancien est utilisé dans ce Slicer. Redémarrez Slicer et segmentez avant d'utiliser autre chose qui a besoin de PyTorch.</translation>
</message>
<message>
<source>PyTorch is installed through the extension PyTorch, which is missing here. Install it with the Extensions Manager, restart Slicer and try again; or use Install from folder.</source>
<translation>PyTorch est installé par l'extension PyTorch, qui manque ici. Installez-la avec le gestionnaire d'extensions, redémarrez Slicer et réessayez ; ou utilisez « Installer depuis un dossier ».</translation>
</message>
<message>
<source>MetaUNETR: first run</source>
<translation>MetaUNETR : première exécution</translation>
</message>
<message>
<source>An installation is under way; wait until it is done.</source>
<translation>Une installation est en cours ; attendez qu'elle soit terminée.</translation>
</message>
<message>
<source>The packages could not be downloaded: no connection. Check the network and the proxy (environment variable HTTPS_PROXY) and try again, or use Install from folder.</source>
<translation>Les paquets n'ont pas pu être téléchargés : pas de connexion. Vérifiez le réseau et le proxy (variable d'environnement HTTPS_PROXY) et réessayez, ou utilisez « Installer depuis un dossier ».</translation>
</message>
<message>
<source>The installation failed: {reason}. Restart Slicer and try again, or use Install from folder.</source>
<translation>L'installation a échoué : {reason}. Redémarrez Slicer et réessayez, ou utilisez « Installer depuis un dossier ».</translation>
</message>
<message>
<source>any package</source>
<translation>aucun paquet</translation>
</message>
<message>
<source>{folder} does not hold {what} in a build for this Slicer. On a connected computer with the same operating system, run

{command}

and bring the folder "wheels" here.</source>
<translation>{folder} ne contient pas {what} dans une version pour ce Slicer. Sur un ordinateur connecté avec le même système d'exploitation, exécutez

{command}

et apportez ici le dossier « wheels ».</translation>
</message>
<message>
<source>Installing from {folder} failed: {reason}. Restart Slicer and try again.</source>
<translation>L'installation depuis {folder} a échoué : {reason}. Redémarrez Slicer et réessayez.</translation>
</message>
<message>
<source>pip ended with code {n}</source>
<translation>pip s'est terminé avec le code {n}</translation>
</message>
<message>
<source>a few MB</source>
<translation>quelques Mo</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.engine</name>
<message>
<source>PythonSlicer is on none of the paths {paths}; install Slicer again.</source>
<translation>PythonSlicer n'est sur aucun des chemins {paths} ; réinstallez Slicer.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.exchange</name>
<message>
<source>The input volume must have voxels; this one has not: {name}.</source>
<translation>Le volume doit avoir des voxels ; celui-ci n'en a pas : {name}.</translation>
</message>
<message>
<source>The input must be a CT; {name} is a label map.</source>
<translation>L'entrée doit être un scanner ; {name} est une carte de labels.</translation>
</message>
<message>
<source>Every voxel of the input must have one value; {name} has {count} (colours, directions or frames).</source>
<translation>Chaque voxel de l'entrée doit avoir une valeur ; {name} en a {count} (couleurs, directions ou images).</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.install</name>
<message>
<source>Before the first run, this must be installed: {names}. You will be asked first, with the sizes.</source>
<translation>Avant la première exécution, ceci doit être installé : {names}. Une question vous montrera d'abord les tailles.</translation>
</message>
<message>
<source>An installation is under way; wait until it is done.</source>
<translation>Une installation est en cours ; attendez qu'elle soit terminée.</translation>
</message>
<message>
<source>Folder of wheels</source>
<translation>Dossier de wheels</translation>
</message>
<message>
<source>Installing: {text}</source>
<translation>Installation : {text}</translation>
</message>
<message>
<source>The command is on the clipboard: run it on a computer with internet, bring the folder “wheels” here, and use Install from folder.</source>
<translation>La commande est dans le presse-papiers : exécutez-la sur un ordinateur connecté, apportez ici le dossier « wheels » et utilisez « Installer depuis un dossier ».</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.job</name>
<message>
<source>Cancelled: the input was closed or removed.</source>
<translation>Annulé : l'entrée a été fermée ou retirée.</translation>
</message>
<message>
<source>Cancelled.</source>
<translation>Annulé.</translation>
</message>
<message>
<source>The engine stopped unexpectedly (exit code {code}). The log says more; please report it with a copy of it.</source>
<translation>Le calcul s'est arrêté de façon inattendue (code {code}). Le journal en dit plus ; merci de signaler l'erreur avec une copie de celui-ci.</translation>
</message>
<message>
<source>The result could not be put into the scene ({kind}: {error}). The log says more; please report it with a copy of it.</source>
<translation>Le résultat n'a pas pu être mis dans la scène ({kind} : {error}). Le journal en dit plus ; merci de signaler l'erreur avec une copie de celui-ci.</translation>
</message>
<message>
<source>The engine was killed, probably because memory ran out. Close other programs, or crop the volume with the module Crop Volume.</source>
<translation>Le calcul a été arrêté par le système, sans doute par manque de mémoire. Fermez d'autres programmes, ou recadrez le volume avec le module Crop Volume.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.masks</name>
<message>
<source>{name} has no voxels and no reference volume.</source>
<translation>{name} n'a ni voxels ni volume de référence.</translation>
</message>
<message>
<source>The transforms of {first} and {second} must be the same or linear; put both under one transform, or harden it.</source>
<translation>Les transformations de {first} et {second} doivent être la même ou linéaires ; mettez les deux sous une même transformation, ou appliquez-la.</translation>
</message>
<message>
<source>The segment {segment} of {segmentation} must lie on the grid of {volume}; it lies on another.</source>
<translation>Le segment {segment} de {segmentation} doit être sur la grille de {volume} ; il est sur une autre.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.organhere</name>
<message>
<source>Name the segment “{name}” after its organ, or choose its terminology (double-click its colour). Organs are {organs}.</source>
<translation>Nommez le segment « {name} » d'après son organe, ou choisissez sa terminologie (double-clic sur sa couleur). Les organes sont {organs}.</translation>
</message>
<message>
<source>Choose the source volume above the table of segments.</source>
<translation>Choisissez le volume source au-dessus du tableau des segments.</translation>
</message>
<message>
<source>the place that was clicked</source>
<translation>l'endroit cliqué</translation>
</message>
<message>
<source>The segment was removed meanwhile.</source>
<translation>Le segment a été retiré entre-temps.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.roi</name>
<message>
<source>The region of interest must lie on the volume; {region} lies beside {volume}.</source>
<translation>La région doit être sur le volume ; {region} est à côté de {volume}.</translation>
</message>
<message>
<source>The region of interest must have a size; {region} has none yet: place it in a slice view.</source>
<translation>La région doit avoir une taille ; {region} n'en a pas encore : placez-la dans une vue en coupe.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.segmentation</name>
<message>
<source>The labels must lie on the volume: its size is {size}, theirs {labels} from {offset}.</source>
<translation>Les labels doivent être sur le volume : sa taille est {size}, la leur {labels} à partir de {offset}.</translation>
</message>
<message>
<source>The segments must be made of voxels; those of {name} are surfaces. Choose a new segmentation, or make the binary labelmap the source of this one.</source>
<translation>Les segments doivent être faits de voxels ; ceux de {name} sont des surfaces. Choisissez une nouvelle segmentation, ou faites de la carte de labels la source de celle-ci.</translation>
</message>
<message>
<source>The segment {name} could not be added to the segmentation.</source>
<translation>Le segment {name} n'a pas pu être ajouté à la segmentation.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.segmenting</name>
<message>
<source>Choose at least one organ.</source>
<translation>Choisissez au moins un organe.</translation>
</message>
<message>
<source>{segmentation} was not made from {volume} as it is now: choose the CT, or the frame of the sequence, that it was made from, or another segmentation.</source>
<translation>{segmentation} n'a pas été faite à partir de {volume} tel qu'il est maintenant : choisissez le scanner, ou l'image de la séquence, dont elle provient, ou une autre segmentation.</translation>
</message>
</context>
<context>
<name>SegmentEditorEffect</name>
<message>
<source>Click an organ in a slice view: MetaUNETR segments the organ that the selected segment means (by its terminology or name) again in a cube around that point. Other segments and the rest of this one stay. Research use only.</source>
<translation>Cliquez sur un organe dans une vue en coupe : MetaUNETR segmente à nouveau, dans un cube autour de ce point, l'organe que désigne le segment sélectionné (par sa terminologie ou son nom). Les autres segments et le reste de celui-ci ne changent pas. Réservé à la recherche.</translation>
</message>
<message>
<source>Edge of the cube in mm. Default: {default} mm.</source>
<translation>Arête du cube en mm. Par défaut : {default} mm.</translation>
</message>
<message>
<source>Size:</source>
<translation>Taille :</translation>
</message>
<message>
<source>Cancel</source>
<translation>Annuler</translation>
</message>
<message>
<source>Stop the run. The segment stays as it was.</source>
<translation>Arrêter l'exécution. Le segment reste tel qu'il était.</translation>
</message>
<message>
<source>Open the module MetaUNETR Segment first and press Segment: it installs what is missing.</source>
<translation>Ouvrez d'abord le module MetaUNETR Segment et appuyez sur « Segmenter » : il installe ce qui manque.</translation>
</message>
<message>
<source>Select a segment first.</source>
<translation>Choisissez d'abord un segment.</translation>
</message>
<message>
<source>Cancelled. The segment is as it was before.</source>
<translation>Annulé. Le segment est comme avant.</translation>
</message>
<message>
<source>Done. Undo brings the segment back as it was.</source>
<translation>Terminé. « Annuler » rétablit le segment.</translation>
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
<translation>Arrêté : la scène a été fermée.</translation>
</message>
<message>
<source>Everything is installed.</source>
<translation>Tout est installé.</translation>
</message>
<message>
<source>Another run is going on: wait until it is done, or cancel it.</source>
<translation>Une autre exécution est en cours : attendez sa fin, ou annulez-la.</translation>
</message>
</context>
<context>
<name>panel.adaptcases</name>
<message>
<source>Case</source>
<translation>Cas</translation>
</message>
<message>
<source>Corrected organs</source>
<translation>Organes corrigés</translation>
</message>
<message>
<source>Select a remembered case in the list.</source>
<translation>Sélectionnez dans la liste un cas mémorisé.</translation>
</message>
<message>
<source>Tick the cases to learn from. One of the scene is remembered when you tick it.</source>
<translation>Cochez les cas dont le modèle apprend. Un cas de la scène est mémorisé quand vous le cochez.</translation>
</message>
<message>
<source>What is not corrected stays as the model knows it.</source>
<translation>Ce qui n'est pas corrigé reste tel que le modèle le connaît.</translation>
</message>
<message>
<source>no model</source>
<translation>aucun modèle</translation>
</message>
<message>
<source>{count} remembered, {size}, in {folder}</source>
<translation>{count} mémorisés, {size}, dans {folder}</translation>
</message>
<message>
<source>{name} (batch)</source>
<translation>{name} (lot)</translation>
</message>
<message>
<source>{name} (scene)</source>
<translation>{name} (scène)</translation>
</message>
<message>
<source>{name}. Tick it to remember it: CT and corrected organs are copied to {folder}.</source>
<translation>{name}. Cochez-le pour le mémoriser : le scanner et les organes corrigés sont copiés dans {folder}.</translation>
</message>
<message>
<source>{size} in {folder}; results of {model}</source>
<translation>{size} dans {folder} ; résultats de {model}</translation>
</message>
</context>
<context>
<name>panel.adaptmodels</name>
<message>
<source>Organ</source>
<translation>Organe</translation>
</message>
<message>
<source>At 2 mm, before → after.</source>
<translation>À 2 mm, avant → après.</translation>
</message>
<message>
<source>Before → after.</source>
<translation>Avant → après.</translation>
</message>
<message>
<source>Delete the model {name}?</source>
<translation>Supprimer le modèle {name} ?</translation>
</message>
<message>
<source>Dice</source>
<translation>Dice</translation>
</message>
<message>
<source>Folder for the model</source>
<translation>Dossier pour le modèle</translation>
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
<translation>Nouveau nom :</translation>
</message>
<message>
<source>Number of held-out CTs.</source>
<translation>Nombre de scanners mis de côté.</translation>
</message>
<message>
<source>Rename model</source>
<translation>Renommer le modèle</translation>
</message>
<message>
<source>The model is in {path}. Somebody who puts this folder into {models} can choose it.</source>
<translation>Le modèle est dans {path}. Quiconque copie ce dossier dans {models} peut le choisir.</translation>
</message>
<message>
<source>mean of organs</source>
<translation>moyenne des organes</translation>
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
<translation>Cas</translation>
</message>
<message>
<source>Click a case that is done to load it with its result.</source>
<translation>Cliquez sur un cas terminé pour le charger avec son résultat.</translation>
</message>
<message>
<source>State</source>
<translation>État</translation>
</message>
<message>
<source>Why a case failed is in its tooltip.</source>
<translation>La raison d'un échec est dans son infobulle.</translation>
</message>
<message>
<source>Time</source>
<translation>Temps</translation>
</message>
<message>
<source>Flags</source>
<translation>Alertes</translation>
</message>
<message>
<source>What looks wrong and should be looked at.</source>
<translation>Ce qui semble faux et doit être vérifié.</translation>
</message>
<message>
<source>There are no results yet.</source>
<translation>Il n'y a pas encore de résultats.</translation>
</message>
<message>
<source>Choose the folder with the CTs.</source>
<translation>Choisissez le dossier des scanners.</translation>
</message>
<message>
<source>The folder of the CTs does not exist: {folder}</source>
<translation>Le dossier des scanners n'existe pas : {folder}</translation>
</message>
<message>
<source>Choose the folder for the results.</source>
<translation>Choisissez le dossier des résultats.</translation>
</message>
<message>
<source>Choose a model and at least one organ under Segment.</source>
<translation>Choisissez sous « Segmenter » un modèle et au moins un organe.</translation>
</message>
<message>
<source>Cancelled. The cases that were done are kept.</source>
<translation>Annulé. Les cas terminés sont gardés.</translation>
</message>
<message>
<source>waiting</source>
<translation>en attente</translation>
</message>
<message>
<source>{name} cannot be loaded: {error}</source>
<translation>{name} ne peut pas être chargé : {error}</translation>
</message>
<message>
<source>Load {path} with the DICOM module.</source>
<translation>Chargez {path} avec le module DICOM.</translation>
</message>
<message>
<source>running</source>
<translation>en cours</translation>
</message>
<message>
<source>done</source>
<translation>terminé</translation>
</message>
<message>
<source>there already</source>
<translation>déjà présent</translation>
</message>
<message>
<source>failed</source>
<translation>échec</translation>
</message>
<message>
<source>Slicer segmentation (.seg.nrrd)</source>
<translation>Segmentation de Slicer (.seg.nrrd)</translation>
</message>
<message>
<source>Opens in Slicer with names, colours and terminology.</source>
<translation>S'ouvre dans Slicer avec noms, couleurs et terminologie.</translation>
</message>
<message>
<source>NIfTI label map (.nii.gz)</source>
<translation>Carte de labels NIfTI (.nii.gz)</translation>
</message>
<message>
<source>For most other programs.</source>
<translation>Pour la plupart des autres programmes.</translation>
</message>
<message>
<source>For archives; needs DICOM input.</source>
<translation>Pour les archives ; demande une entrée DICOM.</translation>
</message>
<message>
<source>For radiotherapy planning; needs DICOM input.</source>
<translation>Pour la planification de radiothérapie ; demande une entrée DICOM.</translation>
</message>
<message>
<source>None</source>
<translation>Aucune</translation>
</message>
<message>
<source>A file for each organ.</source>
<translation>Un fichier pour chaque organe.</translation>
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
<translation>Organe</translation>
</message>
<message>
<source>Organs of both segmentations, found by their names.</source>
<translation>Organes des deux segmentations, trouvés par leurs noms.</translation>
</message>
<message>
<source>Overlap: 1 is identical, 0 is apart.</source>
<translation>Recouvrement : 1 = identique, 0 = disjoint.</translation>
</message>
<message>
<source>Share of the two surfaces that lie within 2 mm of each other.</source>
<translation>Part des deux surfaces à 2 mm au plus l'une de l'autre.</translation>
</message>
<message>
<source>Distance (mm) within which 95 % of the surfaces lie.</source>
<translation>Distance (mm) dans laquelle se trouvent 95 % des surfaces.</translation>
</message>
<message>
<source>Hide differences</source>
<translation>Cacher les différences</translation>
</message>
<message>
<source>Show differences</source>
<translation>Montrer les différences</translation>
</message>
<message>
<source>Choose two segmentations.</source>
<translation>Choisissez deux segmentations.</translation>
</message>
<message>
<source>Choose two different segmentations.</source>
<translation>Choisissez deux segmentations différentes.</translation>
</message>
<message>
<source>{a} mL and {b} mL</source>
<translation>{a} mL et {b} mL</translation>
</message>
<message>
<source>mean of {count}</source>
<translation>moyenne de {count}</translation>
</message>
<message>
<source>Of the organs that both segmentations have.</source>
<translation>Des organes que les deux segmentations ont.</translation>
</message>
<message>
<source>The difference is the segmentation “{name}”.</source>
<translation>La différence est la segmentation « {name} ».</translation>
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
<translation>seulement dans {name}</translation>
</message>
</context>
<context>
<name>panel.correct</name>
<message>
<source>Choose the segmentation to correct.</source>
<translation>Choisissez la segmentation à corriger.</translation>
</message>
<message>
<source>Its volume is not in the scene: load it, and choose it under Segment.</source>
<translation>Son volume n'est pas dans la scène : chargez-le, et choisissez-le sous « Segmenter ».</translation>
</message>
<message>
<source>Tick the organs to segment again.</source>
<translation>Cochez les organes à segmenter à nouveau.</translation>
</message>
<message>
<source>The correction was undone.</source>
<translation>La correction a été annulée.</translation>
</message>
<message>
<source>There is no correction to undo.</source>
<translation>Il n'y a pas de correction à annuler.</translation>
</message>
<message>
<source>Wait until the run is done.</source>
<translation>Attendez la fin de l'exécution.</translation>
</message>
<message>
<source>Nothing was found.</source>
<translation>Rien n'a été trouvé.</translation>
</message>
<message>
<source>{organ}: {before} → {after} mL</source>
<translation>{organ} : {before} → {after} mL</translation>
</message>
<message>
<source>Its volume shows another frame of a sequence: go to the one that was segmented.</source>
<translation>Son volume montre une autre image d'une séquence : allez à celle qui a été segmentée.</translation>
</message>
</context>
<context>
<name>panel.estimate</name>
<message>
<source>about {duration}, {memory} GB</source>
<translation>environ {duration}, {memory} Go</translation>
</message>
</context>
<context>
<name>panel.firstuse</name>
<message>
<source>&lt;b&gt;First time here?&lt;/b&gt; Load a CT with &lt;i&gt;DICOM&lt;/i&gt; or &lt;i&gt;Add Data&lt;/i&gt;, or take &lt;i&gt;MetaUNETR phantom&lt;/i&gt; from &lt;i&gt;Sample Data&lt;/i&gt;. Press &lt;b&gt;Segment&lt;/b&gt;. Then click the organs in the table. &lt;a href="{url}"&gt;Tutorial&lt;/a&gt;</source>
<translation>&lt;b&gt;Première fois ici ?&lt;/b&gt; Chargez un scanner avec &lt;i&gt;DICOM&lt;/i&gt; ou &lt;i&gt;Ajouter des données&lt;/i&gt;, ou prenez &lt;i&gt;MetaUNETR phantom&lt;/i&gt; dans &lt;i&gt;Sample Data&lt;/i&gt;. Appuyez sur &lt;b&gt;Segmenter&lt;/b&gt;. Cliquez ensuite sur les organes du tableau. &lt;a href="{url}"&gt;Tutoriel (en anglais)&lt;/a&gt;</translation>
</message>
<message>
<source>Nothing is uploaded. Research use only, not for diagnosis. &lt;a href="{url}"&gt;Help&lt;/a&gt;</source>
<translation>Rien n'est envoyé. Réservé à la recherche, pas au diagnostic. &lt;a href="{url}"&gt;Aide (en anglais)&lt;/a&gt;</translation>
</message>
</context>
<context>
<name>panel.input</name>
<message>
<source>As the model ({overlap})</source>
<translation>Comme le modèle ({overlap})</translation>
</message>
<message>
<source>Choose a volume first.</source>
<translation>Choisissez d'abord un volume.</translation>
</message>
<message>
<source>Tick at least one organ.</source>
<translation>Cochez au moins un organe.</translation>
</message>
<message>
<source>Choose a model first: none called “{name}” was found.</source>
<translation>Choisissez d'abord un modèle : « {name} » n'a pas été trouvé.</translation>
</message>
<message>
<source>Organs: all {total}</source>
<translation>Organes : tous les {total}</translation>
</message>
<message>
<source>Organs: {chosen} of {total}</source>
<translation>Organes : {chosen} sur {total}</translation>
</message>
<message>
<source>Automatic</source>
<translation>Automatique</translation>
</message>
<message>
<source>The GPU where it works, else the CPU. When memory runs out, the run goes on more slowly instead of failing.</source>
<translation>Le GPU là où il fonctionne, sinon le CPU. Si la mémoire manque, l'exécution continue plus lentement au lieu d'échouer.</translation>
</message>
<message>
<source>Works on every computer.</source>
<translation>Fonctionne sur tout ordinateur.</translation>
</message>
<message>
<source>What is fast and accurate on the device.</source>
<translation>Ce qui est rapide et précis sur l'appareil.</translation>
</message>
<message>
<source>Exact, and slower on a GPU.</source>
<translation>Exact, mais plus lent sur un GPU.</translation>
</message>
<message>
<source>Fast on new GPUs and CPUs.</source>
<translation>Rapide sur les GPU et CPU récents.</translation>
</message>
<message>
<source>Fast on most GPUs.</source>
<translation>Rapide sur la plupart des GPU.</translation>
</message>
<message>
<source>16 bit (bfloat16)</source>
<translation>16 bits (bfloat16)</translation>
</message>
<message>
<source>16 bit (float16)</source>
<translation>16 bits (float16)</translation>
</message>
<message>
<source>32 bit</source>
<translation>32 bits</translation>
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
<translation>{name} (inutilisable)</translation>
</message>
<message>
<source>Model</source>
<translation>Modèle</translation>
</message>
<message>
<source>Organs (Dice)</source>
<translation>Organes (Dice)</translation>
</message>
<message>
<source>Organs</source>
<translation>Organes</translation>
</message>
<message>
<source>Measured on</source>
<translation>Mesuré sur</translation>
</message>
<message>
<source>Spacing</source>
<translation>Espacement</translation>
</message>
<message>
<source>Training data</source>
<translation>Données d'entraînement</translation>
</message>
<message>
<source>Licence of the weights</source>
<translation>Licence des poids</translation>
</message>
<message>
<source>Use</source>
<translation>Usage</translation>
</message>
<message>
<source>Gain</source>
<translation>Gain</translation>
</message>
<message>
<source>mean Dice of the corrected organs {before} → {after} in {count} held-out CTs</source>
<translation>Dice moyen des organes corrigés {before} → {after} dans {count} scanners mis de côté</translation>
</message>
</context>
<context>
<name>panel.progress</name>
<message>
<source>Searching for CTs</source>
<translation>Recherche des scanners</translation>
</message>
<message>
<source>Reading the volume</source>
<translation>Lecture du volume</translation>
</message>
<message>
<source>Loading the model</source>
<translation>Chargement du modèle</translation>
</message>
<message>
<source>Checking the image</source>
<translation>Vérification de l'image</translation>
</message>
<message>
<source>Resampling</source>
<translation>Rééchantillonnage</translation>
</message>
<message>
<source>Measuring the speed of this computer</source>
<translation>Mesure de la vitesse de cet ordinateur</translation>
</message>
<message>
<source>Segmenting</source>
<translation>Segmentation</translation>
</message>
<message>
<source>Restoring the resolution</source>
<translation>Rétablissement de la résolution</translation>
</message>
<message>
<source>Measuring organs</source>
<translation>Mesure des organes</translation>
</message>
<message>
<source>Writing</source>
<translation>Écriture</translation>
</message>
<message>
<source>: window {done} of {total}</source>
<translation> : fenêtre {done} sur {total}</translation>
</message>
<message>
<source>, {duration} left</source>
<translation>, encore {duration}</translation>
</message>
<message>
<source>Case {number} of {total}, {name}</source>
<translation>Cas {number} sur {total}, {name}</translation>
</message>
<message>
<source> · all cases: {duration} left</source>
<translation> · tous les cas : encore {duration}</translation>
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
<translation>Cliquez sur un œil pour montrer ou cacher un organe.</translation>
</message>
<message>
<source>Organ</source>
<translation>Organe</translation>
</message>
<message>
<source>Click an organ, or move with the arrow keys, to jump to its centre. Double-click to show it alone, and again to show all.</source>
<translation>Cliquez sur un organe, ou utilisez les flèches, pour aller à son centre. Double-cliquez pour l'afficher seul, et encore pour tous les afficher.</translation>
</message>
<message>
<source>Volume in millilitres.</source>
<translation>Volume en millilitres.</translation>
</message>
<message>
<source>HU</source>
<translation>UH</translation>
</message>
<message>
<source>Mean CT number inside the organ; its tooltip has the deviation.</source>
<translation>Densité moyenne dans l'organe ; l'infobulle donne l'écart type.</translation>
</message>
<message>
<source>Conf.</source>
<translation>Conf.</translation>
</message>
<message>
<source>Confidence: the expected Dice if the model is calibrated, else the mean probability over the organ's voxels.</source>
<translation>Confiance : le Dice attendu si le modèle est calibré, sinon la probabilité moyenne des voxels de l'organe.</translation>
</message>
<message>
<source>Flags</source>
<translation>Alertes</translation>
</message>
<message>
<source>{mean} ± {deviation} HU</source>
<translation>{mean} ± {deviation} UH</translation>
</message>
<message>
<source>edited since</source>
<translation>modifié depuis</translation>
</message>
<message>
<source>There is no result yet: press Segment, or choose one above.</source>
<translation>Il n'y a pas encore de résultat : appuyez sur « Segmenter », ou choisissez-en un ci-dessus.</translation>
</message>
<message>
<source>This Slicer was built without DICOM.</source>
<translation>Ce Slicer a été compilé sans DICOM.</translation>
</message>
<message>
<source>No organ is marked with ⚠.</source>
<translation>Aucun organe ne porte ⚠.</translation>
</message>
<message>
<source>shown</source>
<translation>visible</translation>
</message>
<message>
<source>hidden</source>
<translation>caché</translation>
</message>
<message>
<source>The statistics are in the table “{name}”.</source>
<translation>Les statistiques sont dans le tableau « {name} ».</translation>
</message>
<message>
<source>Save statistics</source>
<translation>Enregistrer les statistiques</translation>
</message>
<message>
<source>Table (*.csv)</source>
<translation>Tableau (*.csv)</translation>
</message>
<message>
<source>{path} cannot be written: {reason}. Choose another folder.</source>
<translation>{path} ne peut pas être écrit : {reason}. Choisissez un autre dossier.</translation>
</message>
<message>
<source>The statistics are in {path}.</source>
<translation>Les statistiques sont dans {path}.</translation>
</message>
<message>
<source>What looks wrong and should be looked at; ↻ was segmented again with Correct, ✎ is edited by hand.</source>
<translation>Ce qui semble faux et doit être vérifié ; ↻ a été segmenté à nouveau avec « Corriger », ✎ est modifié à la main.</translation>
</message>
<message>
<source>mL</source>
<translation>mL</translation>
</message>
<message>
<source>segmented again with Correct</source>
<translation>segmenté à nouveau avec « Corriger »</translation>
</message>
</context>
<context>
<name>panel.run</name>
<message>
<source>Starting …</source>
<translation>Démarrage …</translation>
</message>
<message>
<source>Cancel</source>
<translation>Annuler</translation>
</message>
<message>
<source>Stop the run. The scene stays as it was.</source>
<translation>Arrêter l'exécution. La scène reste telle qu'elle était.</translation>
</message>
<message>
<source>Cancelled. The scene is as it was before.</source>
<translation>Annulé. La scène est comme avant.</translation>
</message>
<message>
<source>Unexpected error: {error}. Please report it, with “Copy report” in the log below.</source>
<translation>Erreur inattendue : {error}. Merci de la signaler avec « Copier le rapport » dans le journal ci-dessous.</translation>
</message>
<message>
<source>Done in {duration}.</source>
<translation>Terminé en {duration}.</translation>
</message>
<message>
<source>Done in {duration} on {device}.</source>
<translation>Terminé en {duration} sur {device}.</translation>
</message>
</context>
<context>
<name>panel.segment</name>
<message>
<source>1 edited segment was kept; the new one is called {name}.</source>
<translation>1 segment modifié a été gardé ; le nouveau s'appelle {name}.</translation>
</message>
<message>
<source>{count} edited segments were kept; the new ones are called {names}.</source>
<translation>{count} segments modifiés ont été gardés ; les nouveaux s'appellent {names}.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.corrections</name>
<message>
<source>Its volume is not in the scene: load it first.</source>
<translation>Son volume n'est pas dans la scène : chargez-le d'abord.</translation>
</message>
<message>
<source>Its volume shows another frame of a sequence: go to the one that was segmented.</source>
<translation>Son volume montre une autre image d'une séquence : allez à celle qui a été segmentée.</translation>
</message>
<message>
<source>No organ has been corrected: edit one in Segment Editor.</source>
<translation>Aucun organe n'a été corrigé : modifiez-en un dans Segment Editor.</translation>
</message>
</context>
<context>
<name>MetaUNETRSegmentLib.ownmodels</name>
<message>
<source>A name may have letters, digits, spaces, dots and dashes: {name}</source>
<translation>Un nom peut contenir des lettres, des chiffres, des espaces, des points et des tirets : {name}</translation>
</message>
<message>
<source>Another model is called {name}; choose another name.</source>
<translation>Un autre modèle s'appelle {name} ; choisissez un autre nom.</translation>
</message>
</context>
<context>
<name>panel.adapt</name>
<message>
<source>Adapt</source>
<translation>Adapter</translation>
</message>
<message>
<source>Adapt (unfinished)</source>
<translation>Adapter (inachevé)</translation>
</message>
<message>
<source>At most {minutes} min for {count} trainings, {memory} GB of memory, {disk} GB of disk.</source>
<translation>Au plus {minutes} min pour {count} entraînements, {memory} Go de mémoire, {disk} Go de disque.</translation>
</message>
<message>
<source>Cancelled. Press Go on to continue, or Discard.</source>
<translation>Annulé. Appuyez sur « Continuer » ou « Abandonner ».</translation>
</message>
<message>
<source>Choose a model under Segment.</source>
<translation>Choisissez un modèle sous « Segmenter ».</translation>
</message>
<message>
<source>Choose the folders of the CTs and of the results in the tab Batch.</source>
<translation>Choisissez les dossiers des scanners et des résultats dans l'onglet « Lot ».</translation>
</message>
<message>
<source>Correct organs in Segment Editor, in at least {count} CTs.</source>
<translation>Corrigez des organes dans Segment Editor, dans au moins {count} scanners.</translation>
</message>
<message>
<source>Go on</source>
<translation>Continuer</translation>
</message>
<message>
<source>Go on with the unfinished model above, or discard it.</source>
<translation>Continuez le modèle inachevé ci-dessus, ou abandonnez-le.</translation>
</message>
<message>
<source>Keep the model anyway</source>
<translation>Garder quand même le modèle</translation>
</message>
<message>
<source>No model was written: {reason}.</source>
<translation>Aucun modèle n'a été enregistré : {reason}.</translation>
</message>
<message>
<source>Searching for results that were edited …</source>
<translation>Recherche des résultats modifiés …</translation>
</message>
<message>
<source>The new model is {name}: mean Dice of the corrected organs {before} → {after} in held-out CTs.</source>
<translation>Le nouveau modèle est {name} : Dice moyen des organes corrigés {before} → {after} dans les scanners mis de côté.</translation>
</message>
<message>
<source>Tick at least {count} cases: some are held out to measure the gain.</source>
<translation>Cochez au moins {count} cas : certains sont mis de côté pour mesurer le gain.</translation>
</message>
<message>
<source>Wait until the run is done.</source>
<translation>Attendez la fin de l'exécution.</translation>
</message>
<message>
<source>estimating …</source>
<translation>estimation …</translation>
</message>
<message>
<source>{count} edited results were found.</source>
<translation>{count} résultats modifiés trouvés.</translation>
</message>
<message>
<source>{name} is not better: {reason}. What was trained is kept in {folder}.</source>
<translation>{name} n'est pas meilleur : {reason}. Ce qui a été entraîné est conservé dans {folder}.</translation>
</message>
<message>
<source>{name} is unfinished. What was done is kept in {folder}.</source>
<translation>{name} est inachevé. Ce qui a été fait est conservé dans {folder}.</translation>
</message>
<message>
<source>{stage}, {duration} left at most</source>
<translation>{stage}, encore {duration} au plus</translation>
</message>
</context>
<context>
<name>panel.remember</name>
<message>
<source>Forget this correction</source>
<translation>Oublier cette correction</translation>
</message>
<message>
<source>Remember this correction</source>
<translation>Mémoriser cette correction</translation>
</message>
<message>
<source>Remembered: {organs}. The copy of {size} is in {folder}; the tab Adapt learns from it.</source>
<translation>Mémorisé : {organs}. La copie de {size} est dans {folder} ; l'onglet « Adapter » en apprend.</translation>
</message>
<message>
<source>Remembering the correction …</source>
<translation>Mémorisation de la correction …</translation>
</message>
<message>
<source>The correction was forgotten, and its copy deleted.</source>
<translation>La correction est oubliée, et sa copie supprimée.</translation>
</message>
<message>
<source>{path} cannot be deleted: {reason}.</source>
<translation>{path} ne peut pas être supprimé : {reason}.</translation>
</message>
<message>
<source>{size} MB</source>
<translation>{size} Mo</translation>
</message>
</context>
</TS>
