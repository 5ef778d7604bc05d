import FleetCore
import Foundation
import Testing

@testable import FleetDocuments

/// A note with this in its section on the procedure, and this below.
private func note(procedure: String = "Suivre la procédure standard.", before: String = "", changes: String = "") -> NoteReading {
    NoteReading(
        of: """
            # Notes de version Canopsis 3.26.0

            Canopsis 3.26.0 a été publié le 19 août 2019.

            \(before)

            ## Procédure de mise à jour

            \(procedure)

            ## Changements entre Canopsis 3.25.0 et 3.26.0

            \(changes)
            """)
}

@Suite("The sentences of a procedure")
struct NoteSentenceTests {
    @Test(
        "point to the standard procedure in many words",
        arguments: [
            "Suivre la [procédure standard de mise à jour de Canopsis](../guide-administration/mise-a-jour/index.md).",
            "Suivre ensuite la procédure standard de mise à jour de Canopsis.",
            "Suivez la **procédure standard** de mise à jour.",
            "Veuillez suivre la procédure habituelle de mise à jour de Canopsis.",
            "Pour mettre à jour Canopsis, appliquez la [procédure de mise à jour](/guide-administration/mise-a-jour/#paquets).",
            "Il suffit de dérouler la procédure classique.",
            "SUIVRE LA PROCEDURE STANDARD DE MISE A JOUR DE CANOPSIS",
            "Se reporter à la procédure standard de mise à jour.",
            "Voir la _procédure de mise à jour_ du guide d'administration.",
        ])
    func standard(_ text: String) {
        #expect(note(procedure: text).facts.procedure == .standard)
    }

    @Test(
        "say in many words that there is nothing else",
        arguments: [
            "Il n'y a aucune autre action à réaliser pour mettre Canopsis à jour d'une version 3.25 à une version 3.26.",
            "Il n'y a aucune action supplémentaire à réaliser pour mettre Canopsis à jour d'une version 3.9 à une version 3.10.",
            "Il n'y a pas d'autre action à réaliser pour mettre Canopsis à jour d'une version 3.18.0 à une version 3.18.1.",
            "Aucune autre manipulation n'est nécessaire.", "Cette mise à jour ne nécessite aucune action particulière.",
            "Il n'y a rien d'autre à faire.", "Rien de plus à prévoir.", "Aucune étape supplémentaire n'est requise après la mise à jour.",
            "Pas d'autre opération à effectuer !", "Il n’y a aucune autre action à réaliser.",
        ])
    func nothingElse(_ text: String) {
        #expect(note(procedure: "Suivre la procédure standard.\n\n" + text).facts.procedure == .standard)
        #expect(note(procedure: text).facts.procedure == .standard)
    }

    @Test(
        "are more if they say anything else",
        arguments: [
            "Ne pas mettre à jour vers cette version.", "Aucune mise à jour vers cette version n'est à effectuer.",
            "Suivre la procédure standard de mise à jour de MongoDB.", "Suivre la procédure standard deux fois.",
            "Suivre la [procédure de mise à jour de Canopsis](3.37.0.md).", "Suivre la procédure.",
            "Le [guide de migration](migration/migration-4.0.0.md) doit obligatoirement être suivi.",
            "Il n'y a aucune autre action à réaliser, sauf pour Docker.", "Suivre la procédure standard, puis redémarrer.",
            "Si vous utilisez Docker, il n'y a aucune autre action à réaliser.", "Il y a une autre action à réaliser.",
            "Suivre la procédure standard ![](schema.png)", "* Suivre la procédure standard.", "> Suivre la procédure standard.",
            "| Suivre | la procédure |", "<p>Suivre la procédure avec soin</p>", "=== \"Paquets\"\n\n    Suivre la procédure standard.",
            "!!! note\n    Suivre la procédure standard.", "### Paquets\n\nSuivre la procédure standard.",
            "Suivre la procédure standard.\n\n    apt update", "<pre>apt update</pre>", "Suivre la procédure d'installation standard.",
            "### Changement important d'API et mise à jour des règles\n\nSuivre la procédure standard.",
        ])
    func more(_ text: String) {
        let reading = note(procedure: text)
        #expect(reading.facts.procedure == .more)
        #expect(reading.reasons.contains { $0.fact == .procedure })
    }

    @Test("an empty section is said to be empty, and one of comments is")
    func empty() {
        for text in ["", "<!-- à venir -->", "<br>"] {
            let reading = note(procedure: text)
            #expect(reading.facts.procedure == .missing)
            #expect(reading.flaws.map(\.code) == [.emptyProcedure])
        }
    }
}

@Suite("The headings of a note")
struct NoteHeadingTests {
    @Test(
        "name the procedure in many ways",
        arguments: [
            "## Procédure de mise à jour", "### Mise à jour", "## Mise à jour vers Canopsis 3.26.0", "##Procédure de mise à jour",
            "## PROCÉDURE DE MISE À JOUR", "## Procedure de mise a jour", "## Procédure de mise à jour {#maj .x}", "   ## Mise à jour   ##",
            "## Procédure d'installation et de mise à jour", "Procédure de mise à jour\n---", "## **Procédure** de [mise à jour](x.md)",
            "## 2. Comment mettre à jour Canopsis", "## Proce\u{301}dure de mise a\u{300} jour", "# Procédure de mise à jour",
            "## Procédure de mise à jour de la version 3.25 à la version 3.26",
        ])
    func procedure(_ heading: String) {
        let text = "# Notes de version Canopsis 3.26.0\n\nPublié le 19 août 2019.\n\n\(heading)\n\nSuivre la procédure standard.\n"
        let reading = NoteReading(of: text)
        #expect(reading.facts.procedure == .standard)
        #expect(reading.flaws.isEmpty)
    }

    @Test(
        "name other things",
        arguments: [
            "## Mise à jour des pbehaviors en base", "## Mise à jour du serveur de cache Redis", "## Procédure d'installation",
            "    ## Procédure de mise à jour", "#5 Procédure de mise à jour", "* ## Procédure de mise à jour", "####### Mise à jour",
            "```\n## Procédure de mise à jour\n```",
        ])
    func other(_ heading: String) {
        let text = "# Notes de version Canopsis 3.26.0\n\nPublié le 19 août 2019.\n\n\(heading)\n\nSuivre la procédure standard.\n"
        #expect(NoteReading(of: text).facts.procedure == .missing)
    }

    @Test(
        "give the version of the title",
        arguments: [
            ("# Notes de version Canopsis 3.26.0", "3.26.0"), ("# Note de version de Canopsis v3.26.0 #", "3.26.0"),
            ("Notes de version\u{a0}Canopsis 3.\u{202f}26.0\n===", "3.26.0"), ("# Canopsis 22.10.3", "22.10.3"),
            ("# Notes\n\n## Notes de version 24.04.1", "24.04.1"), ("---\ntitle: Notes de version 3.26.0\n---\n", "3.26.0"),
            ("# Notes de version Canopsis 3.26", nil), ("Notes de version Canopsis 3.26.0", nil), ("", nil),
        ] as [(String, String?)])
    func title(_ text: String, _ version: String?) {
        #expect(NoteReading(of: text).version.map { "\($0)" } == version)
    }
}

@Suite("Steps outside the procedure")
struct HiddenStepTests {
    @Test(
        "are banners that warn or demand, before the first section",
        arguments: [
            "!!! attention\n    Le moteur est en panne.", "!!! danger \"Lire ceci\"\n", "!!! warning\n    Texte.",
            "??? Caution\n    Texte.",
            "!!! information\n    Canopsis 3.26.0 ne prend plus en charge Debian 8.", "!!! info\n    Vous devez lire ceci.",
            "!!! note\n    Cette version n'est pas compatible avec CentOS 6.", "> [!WARNING]\n> Texte.",
            "Cette version ne doit pas être installée.", "!!! info\n    Ne pas installer sur Debian.",
            "!!! info\n    Les prochaines versions changeront tout.\n\n    Il faut sauvegarder la base.",
            "!!! attention\n    Une prochaine version changera tout. Vous devez sauvegarder.", "```sh\nrm -r x\n```",
        ])
    func banner(_ text: String) {
        #expect(note(before: text).facts.hasHiddenSteps)
        #expect(note(before: text).facts.procedure == .standard)
    }

    @Test(
        "are demands, warnings and code among the changes",
        arguments: [
            "*  Vous devez déplacer le fichier.", "Il faut relancer le moteur.", "Pensez à vider le cache.", "N'oubliez pas le cache.",
            "Il est nécessaire de vider le cache.", "!!! attention\n    Texte.", "```\ntexte\n```", "```ini\n[a]\n```", "    a = b",
            "```json\n$ curl x\n```\n\n```text\nsudo true\n```", "### Action requise\n\nTexte.", "veuillez suivre la procédure du moteur",
            "Lors d’une mise à jour,\nvérifiez que le fichier est là.", "1. Assurez-vous que tout va bien",
            "| Il faut | relire |", "Le tag `x`.\n\n~~~\nfin",
        ])
    func changes(_ text: String) {
        #expect(note(changes: text).facts.hasHiddenSteps)
    }

    @Test(
        "are not announcements, nor what tells of a change",
        arguments: [
            "*  Correction d'un bug qui obligeait à recharger", "Il n'est plus nécessaire de recharger.", "*  Un champ doit être rempli",
            "```json\n{}\n```", "Ajout d'un paramètre ```x```", "!!! note\n    Un mot.", "!!! tip\n    Un mot.",
            "Les alarmes ne fonctionnent plus comme avant.", "*  Possibilité de rendre obligatoire le champ note",
            "Il n'est pas nécessaire de redémarrer.",
        ])
    func harmless(_ text: String) {
        let reading = note(changes: text)
        #expect(!reading.facts.hasHiddenSteps, "\(reading.reasons)")
    }

    @Test(
        "are not the end of Debian 8 that a banner announces, whatever its kind",
        arguments: ["information", "attention", "note"])
    func announcement(_ kind: String) {
        let text = """
            !!! \(kind)
                Les prochaines versions de Canopsis ne seront prochainement plus compatibles avec Debian 8.
                Pensez à migrer vers un environnement supporté.
            """
        #expect(!note(before: text).facts.hasHiddenSteps)
    }
}

@Suite("The date of a note")
struct NoteDateTests {
    @Test(
        "is read in many spellings",
        arguments: [
            ("Canopsis 3.26.0 a été publié le 19 août 2019.", "2019-08-19"), ("Publié le 1er mars 2020", "2020-03-01"),
            ("Publié le 1ᵉʳ mars 2020", "2020-03-01"), ("publie le 19 aout 2019", "2019-08-19"), ("Publié le 3 déc. 2020", "2020-12-03"),
            ("Publié le 07 févr. 2020", "2020-02-07"), ("**Publié le** lundi 19\u{a0}août\u{202f}2019", "2019-08-19"),
            ("Date : 19/08/2019", "2019-08-19"), ("Date de publication : 2019-08-19", "2019-08-19"), ("Sortie le 29.02.2020", "2020-02-29"),
            ("Le 19 août 2019, Canopsis 3.26.0 est paru.", "2019-08-19"), ("| Date |\n| --- |\n| 19 août 2019 |", "2019-08-19"),
            ("Publié le 19 août 2019. Note revue le 3 septembre 2019.", "2019-08-19"), ("19 août 2019", "2019-08-19"),
            ("Publié le 19 août 2019.\n\nPublié le 19/08/2019.", "2019-08-19"),
            ("Debian 8, sorti en 2015. Publié le 2 mai 2019", "2019-05-02"),
        ])
    func date(_ text: String, _ date: String) {
        let reading = NoteReading(of: "# Notes de version Canopsis 3.26.0\n\n\(text)\n\n## Mise à jour\n\nSuivre la procédure standard.\n")
        #expect(reading.facts.published == date)
        #expect(reading.flaws.isEmpty)
    }

    @Test(
        "is nil, and said to be so, where it cannot be told",
        arguments: [
            ("Publié le 31 février 2019.", NoteFlaw.Code.impossibleDate), ("Publié le 29 février 2019.", .impossibleDate),
            ("Publié le 32/01/2019.", .impossibleDate), ("Publié le 00/13/2019.", .impossibleDate), ("Publié en août 2019.", .noDate),
            ("Publié le 19 août 19.", .noDate), ("Publié le 19 août 1019.", .noDate), ("", .noDate),
            ("Publié le 19 août 2019.\n\nPublié le 20 août 2019.", .severalDates), ("Version 3.26.0 du 19-08.", .noDate),
        ] as [(String, NoteFlaw.Code)])
    func untold(_ text: String, _ code: NoteFlaw.Code) {
        let reading = NoteReading(of: "# Notes de version Canopsis 3.26.0\n\n\(text)\n\n## Mise à jour\n\nSuivre la procédure standard.\n")
        #expect(reading.facts.published == nil)
        #expect(reading.flaws.map(\.code) == [code])
    }

    @Test("is not taken from the list of changes")
    func elsewhere() {
        let text =
            "# Notes de version Canopsis 3.26.0\n\n## Mise à jour\n\nSuivre la procédure standard.\n\n## Changements\n\nPublié le 2 mai 2019.\n"
        #expect(NoteReading(of: text).flaws.map(\.code) == [.noDate])
    }
}

@Suite("Blocks of code in the procedure")
struct NoteCodeTests {
    @Test(
        "are counted as a reader sees them",
        arguments: [
            ("```\na\n```\n\n~~~~\n```\n~~~\n~~~~", 2), ("* x\n\n    ```sh\n    a\n    ```\n* y\n  ~~~\n  b\n  ~~~", 2),
            ("!!! note\n    Texte.\n\n    ```\n    a\n    ```\n\n    ```\n    b\n    ```", 2), ("texte\n    pas du code", 0),
            ("    a\n\n    b\n\ntexte\n\n\tc", 2), ("* x\n\n    la suite de x", 0), ("1. x\n\n        code de x", 1),
            ("`` ` `` et ```mot```", 0),
            ("> ```\n> a\n> ```", 1), ("<pre>\na\n\nb\n</pre>", 1), ("````\n```\n````", 1), ("```\n```", 1),
            ("<!--\n```\na\n```\n-->\n\nx", 0),
            ("=== \"Paquets\"\n\n    ```sh\n    a\n    ```\n\n=== \"Docker\"\n\n    ```sh\n    b\n    ```", 2),
            ("texte\n```\na\n```\ntexte", 1),
        ])
    func count(_ text: String, _ count: Int) {
        #expect(note(procedure: text).facts.codeBlocks == count)
    }

    @Test("a fence that is never closed takes the rest, and is told")
    func open() {
        let reading = note(procedure: "```sh\na")
        #expect(reading.facts.codeBlocks == 1)
        #expect(reading.flaws.map(\.code) == [.openCodeBlock])
        #expect(reading.flaws.first?.line == 9)
    }
}
