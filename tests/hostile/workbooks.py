"""XLSX files written part by part, so that every part can be wrong."""

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_STYLES = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'  # style 1 is a date
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def cell(reference, value, kind="n"):
    return f'<c r="{reference}" t="{kind}"><v>{value}</v></c>'


def text_cell(reference, text):
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def row(number, *cells):
    return f'<row r="{number}">{"".join(cells)}</row>'


HEADER = row(1, text_cell("A1", "name"), text_cell("B1", "price"))


def sheet(*rows, before="", dimension=""):
    return f'{before}<worksheet xmlns="{MAIN}">{dimension}<sheetData>{"".join(rows)}</sheetData></worksheet>'


def strings(*items):
    return f'<sst xmlns="{MAIN}">{"".join(items)}</sst>'


def parts(sheets, shared=None, namespace=MAIN):
    """The parts of a workbook: `sheets` maps a name, or (name, state), to the XML of the sheet."""
    names = [name if isinstance(name, tuple) else (name, "visible") for name in sheets]
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" state="{state}" r:id="rId{n}"/>'
        for n, (name, state) in enumerate(names, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    types = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/>' if shared else ""
    made = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{namespace}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{_STYLES}</styleSheet>',
    }
    made |= {f"xl/worksheets/sheet{n}.xml": xml for n, xml in enumerate(sheets.values(), 1)}
    return made | ({"xl/sharedStrings.xml": shared} if shared else {})


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def workbook(*rows):
    """The bytes of a workbook with one sheet of these rows, below the header "name", "price"."""
    return zipped(parts({"Sheet1": sheet(HEADER, *rows)}))


def declaring(data, name, size):
    """The same archive with a false size of a part, in its directory and before the part."""
    changed = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(name)
    directory = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))
    changed[directory + 24 : directory + 28] = size.to_bytes(4, "little")
    changed[info.header_offset + 22 : info.header_offset + 26] = size.to_bytes(4, "little")
    return bytes(changed)


def overlapping():
    """A bomb without nesting: many entries of the directory share one stream."""
    data = zipped(parts({"S": sheet(HEADER)}) | {"x": b"x" * 1_000_000}, zipfile.ZIP_STORED)
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry = data[data.rindex(b"PK\x01\x02") : end]
    count = data.count(b"PK\x01\x02") + 50
    tail = bytearray(data[end:])
    tail[8:12] = count.to_bytes(2, "little") * 2
    tail[12:16] = (end - start + 50 * len(entry)).to_bytes(4, "little")
    return data[:end] + 50 * entry + bytes(tail)


def locked(data):
    """The same archive as if a password protected its parts."""
    changed, at = bytearray(data), -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        changed[at + 8] |= 1
    return bytes(changed)
