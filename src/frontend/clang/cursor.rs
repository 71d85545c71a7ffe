//! Cursors, types and locations: views into one translation unit, valid as long as it lives.

use std::any::Any;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use clang_sys::*;

use super::unit::File;

// The ranges of `CXCursorKind` in `clang-c/Index.h`, which clang-sys does not name.
const FIRST_INVALID: CXCursorKind = 70;
const LAST_INVALID: CXCursorKind = 99;
const FIRST_EXPRESSION: CXCursorKind = 100;
const LAST_EXPRESSION: CXCursorKind = 199;

/// A node of a translation unit's syntax tree (`CXCursor`).
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'tu> {
    raw: CXCursor,
    unit: PhantomData<&'tu ()>,
}

/// What a visitor wants next (`CXChildVisitResult`, without the way to stop early).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// Go on with the next sibling.
    Skip,
    /// Go on with this cursor's children.
    Recurse,
}

/// The kinds of cursor that a C translation unit shows and that somebody asks for; all others are
/// `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are clang's own
pub enum CursorKind {
    AddrLabelExpr,
    AnnotateAttr,
    AsmLabelAttr,
    ArraySubscriptExpr,
    BinaryOperator,
    /// A block literal, `^{ … }`.
    BlockExpr,
    BoolLiteral,
    BreakStmt,
    CStyleCastExpr,
    CallExpr,
    CaseStmt,
    CharacterLiteral,
    CompoundAssignOperator,
    CompoundLiteralExpr,
    CompoundStmt,
    ConditionalOperator,
    ContinueStmt,
    DeclRefExpr,
    DeclStmt,
    DefaultStmt,
    DoStmt,
    EnumConstantDecl,
    EnumDecl,
    FieldDecl,
    ForStmt,
    FunctionDecl,
    GccAsmStmt,
    GenericSelectionExpr,
    GotoStmt,
    IfStmt,
    IndirectGotoStmt,
    InitListExpr,
    IntegerLiteral,
    LabelRef,
    LabelStmt,
    MemberRef,
    MemberRefExpr,
    NullPointerLiteral,
    NullStmt,
    ParenExpr,
    ParmDecl,
    ReturnStmt,
    StmtExpr,
    StringLiteral,
    StructDecl,
    SwitchStmt,
    TranslationUnit,
    TypeRef,
    TypedefDecl,
    UnaryExpr,
    UnaryOperator,
    /// Any attribute without a kind of its own.
    UnexposedAttr,
    /// A declaration without a kind of its own: that of a block literal …
    UnexposedDecl,
    /// An expression without a kind of its own: implicit casts, `x ?: y`, designated initialisers …
    UnexposedExpr,
    UnionDecl,
    VarDecl,
    WhileStmt,
    Other,
}

/// The linkage of a declaration (`CXLinkageKind`), as far as C has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// Visible to other units.
    External,
    /// `static` at file scope.
    Internal,
    /// Local to a block, or no entity at all.
    None,
}

/// The unary operators that matter to control flow and stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum UnaryOperator {
    AddressOf,
    Dereference,
    LogicalNot,
    /// `-`
    Minus,
    /// `~`
    Complement,
    /// `+`
    Plus,
    /// `++` or `--`, before or after.
    Step,
    /// `__extension__`
    Extension,
    Other,
}

/// The binary operators that matter to control flow and stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOperator {
    Add,
    And,
    Assign,
    Comma,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    LogicalAnd,
    LogicalOr,
    NotEqual,
    Or,
    Subtract,
    Xor,
    Other,
}

/// A location in a file: line and column count from 1, the column in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'tu> {
    /// The file.
    pub file: File<'tu>,
    /// The line, from 1.
    pub line: u32,
    /// The column in bytes, from 1.
    pub column: u32,
    /// The offset in bytes from the start of the file as the compiler saw it.
    pub offset: u32,
}

/// Where text comes from that a macro wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacroLocation<'tu> {
    /// The use of the outermost macro.
    pub used: Position<'tu>,
    /// The use of a macro in a file that wrote the text; in the argument of the outermost one, it is another.
    pub written: Position<'tu>,
    /// The text itself: in the definition of a macro, or in an argument; in no file if it was put together.
    pub spelled: Option<Position<'tu>>,
}

/// A position in a file. It is found faster than a [`Location`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position<'tu> {
    /// The file.
    pub file: File<'tu>,
    /// The offset in bytes from the start of the file as the compiler saw it.
    pub offset: u32,
}

impl PartialEq for Cursor<'_> {
    /// The same comparison as `clang_equalCursors`, without the call: kind and data.
    fn eq(&self, other: &Self) -> bool {
        self.raw.kind == other.raw.kind && self.raw.data == other.raw.data
    }
}

impl<'tu> Cursor<'tu> {
    /// Wraps a raw cursor; `None` for the null cursor and the invalid kinds (70 to 73).
    pub(super) fn new(raw: CXCursor) -> Option<Self> {
        let valid = raw.kind != 0 && !(FIRST_INVALID..=LAST_INVALID).contains(&raw.kind);
        valid.then_some(Cursor { raw, unit: PhantomData })
    }

    /// Whether two cursors of expressions or statements show the same node. They may differ as
    /// cursors, since each also remembers the declaration that it was reached from.
    pub fn is_same_node(self, other: Cursor<'_>) -> bool {
        self.raw.kind == other.raw.kind && self.raw.data[1] == other.raw.data[1]
    }

    /// A number that tells this statement or expression from every other one of the unit.
    pub fn node_key(self) -> usize {
        self.raw.data[1] as usize
    }

    /// What the cursor is.
    pub fn kind(self) -> CursorKind {
        use CursorKind::*;
        #[allow(non_upper_case_globals)]
        match self.raw.kind {
            CXCursor_AddrLabelExpr => AddrLabelExpr,
            CXCursor_AnnotateAttr => AnnotateAttr,
            CXCursor_AsmLabelAttr => AsmLabelAttr,
            CXCursor_ArraySubscriptExpr => ArraySubscriptExpr,
            CXCursor_BinaryOperator => BinaryOperator,
            CXCursor_BlockExpr => BlockExpr,
            CXCursor_CXXBoolLiteralExpr => BoolLiteral,
            CXCursor_BreakStmt => BreakStmt,
            CXCursor_CStyleCastExpr => CStyleCastExpr,
            CXCursor_CallExpr => CallExpr,
            CXCursor_CaseStmt => CaseStmt,
            CXCursor_CharacterLiteral => CharacterLiteral,
            CXCursor_CompoundAssignOperator => CompoundAssignOperator,
            CXCursor_CompoundLiteralExpr => CompoundLiteralExpr,
            CXCursor_CompoundStmt => CompoundStmt,
            CXCursor_ConditionalOperator => ConditionalOperator,
            CXCursor_ContinueStmt => ContinueStmt,
            CXCursor_DeclRefExpr => DeclRefExpr,
            CXCursor_DeclStmt => DeclStmt,
            CXCursor_DefaultStmt => DefaultStmt,
            CXCursor_DoStmt => DoStmt,
            CXCursor_EnumConstantDecl => EnumConstantDecl,
            CXCursor_EnumDecl => EnumDecl,
            CXCursor_FieldDecl => FieldDecl,
            CXCursor_ForStmt => ForStmt,
            CXCursor_FunctionDecl => FunctionDecl,
            CXCursor_AsmStmt => GccAsmStmt,
            CXCursor_GenericSelectionExpr => GenericSelectionExpr,
            CXCursor_GotoStmt => GotoStmt,
            CXCursor_IfStmt => IfStmt,
            CXCursor_IndirectGotoStmt => IndirectGotoStmt,
            CXCursor_InitListExpr => InitListExpr,
            CXCursor_IntegerLiteral => IntegerLiteral,
            CXCursor_LabelRef => LabelRef,
            CXCursor_LabelStmt => LabelStmt,
            CXCursor_MemberRef => MemberRef,
            CXCursor_MemberRefExpr => MemberRefExpr,
            CXCursor_CXXNullPtrLiteralExpr => NullPointerLiteral,
            CXCursor_NullStmt => NullStmt,
            CXCursor_ParenExpr => ParenExpr,
            CXCursor_ParmDecl => ParmDecl,
            CXCursor_ReturnStmt => ReturnStmt,
            CXCursor_StmtExpr => StmtExpr,
            CXCursor_StringLiteral => StringLiteral,
            CXCursor_StructDecl => StructDecl,
            CXCursor_SwitchStmt => SwitchStmt,
            CXCursor_TranslationUnit => TranslationUnit,
            CXCursor_TypeRef => TypeRef,
            CXCursor_TypedefDecl => TypedefDecl,
            CXCursor_UnaryExpr => UnaryExpr,
            CXCursor_UnaryOperator => UnaryOperator,
            CXCursor_UnexposedAttr => UnexposedAttr,
            CXCursor_UnexposedDecl => UnexposedDecl,
            CXCursor_UnexposedExpr => UnexposedExpr,
            CXCursor_UnionDecl => UnionDecl,
            CXCursor_VarDecl => VarDecl,
            CXCursor_WhileStmt => WhileStmt,
            _ => Other,
        }
    }

    /// Whether this is an expression (`clang_isExpression`).
    pub fn is_expression(self) -> bool {
        (FIRST_EXPRESSION..=LAST_EXPRESSION).contains(&self.raw.kind) || self.raw.kind == CXCursor_BuiltinBitCastExpr
    }

    /// A number that tells this declaration from every other declaration of the unit: each
    /// redeclaration has its own. Meaningless for anything but a declaration.
    pub fn declaration_key(self) -> usize {
        self.raw.data[0] as usize
    }

    /// The number of the entity's first declaration in this unit, equal for all its redeclarations.
    pub fn canonical_key(self) -> usize {
        unsafe { clang_getCanonicalCursor(self.raw) }.data[0] as usize
    }

    /// The first declaration of what this declares.
    pub fn first_declaration(self) -> Option<Cursor<'tu>> {
        Cursor::new(unsafe { clang_getCanonicalCursor(self.raw) })
    }

    /// The name as written, or the text of an `annotate` attribute.
    pub fn spelling(self) -> String {
        text(unsafe { clang_getCursorSpelling(self.raw) })
    }

    /// What a reference refers to; for an expression, the declaration it names.
    pub fn referenced(self) -> Option<Cursor<'tu>> {
        Cursor::new(unsafe { clang_getCursorReferenced(self.raw) })
    }

    /// The definition of the entity in this unit.
    pub fn definition(self) -> Option<Cursor<'tu>> {
        Cursor::new(unsafe { clang_getCursorDefinition(self.raw) })
    }

    /// The record, function or unit that the entity belongs to.
    pub fn semantic_parent(self) -> Option<Cursor<'tu>> {
        Cursor::new(unsafe { clang_getCursorSemanticParent(self.raw) })
    }

    /// What the entity is declared in.
    pub fn lexical_parent(self) -> Option<Cursor<'tu>> {
        Cursor::new(unsafe { clang_getCursorLexicalParent(self.raw) })
    }

    /// The declaration's linkage.
    pub fn linkage(self) -> Linkage {
        #[allow(non_upper_case_globals)]
        match unsafe { clang_getCursorLinkage(self.raw) } {
            CXLinkage_External | CXLinkage_UniqueExternal => Linkage::External,
            CXLinkage_Internal => Linkage::Internal,
            _ => Linkage::None,
        }
    }

    /// Whether the declaration has any attribute.
    pub fn has_attributes(self) -> bool {
        unsafe { clang_Cursor_hasAttrs(self.raw) != 0 }
    }

    /// Whether the variable is declared `static`.
    pub fn is_static(self) -> bool {
        unsafe { clang_Cursor_getStorageClass(self.raw) == CX_SC_Static }
    }

    /// Whether the record has no name of its own.
    pub fn is_anonymous(self) -> bool {
        unsafe { clang_Cursor_isAnonymous(self.raw) != 0 }
    }

    /// A variable's initialiser.
    pub fn initializer(self) -> Option<Cursor<'tu>> {
        Cursor::new(unsafe { clang_Cursor_getVarDeclInitializer(self.raw) })
    }

    /// The operator of a unary operator.
    pub fn unary_operator(self) -> UnaryOperator {
        #[allow(non_upper_case_globals)]
        match unsafe { clang_getCursorUnaryOperatorKind(self.raw) } {
            CXUnaryOperator_AddrOf => UnaryOperator::AddressOf,
            CXUnaryOperator_Deref => UnaryOperator::Dereference,
            CXUnaryOperator_LNot => UnaryOperator::LogicalNot,
            CXUnaryOperator_Minus => UnaryOperator::Minus,
            CXUnaryOperator_Not => UnaryOperator::Complement,
            CXUnaryOperator_Plus => UnaryOperator::Plus,
            CXUnaryOperator_PostInc | CXUnaryOperator_PostDec | CXUnaryOperator_PreInc | CXUnaryOperator_PreDec => {
                UnaryOperator::Step
            }
            CXUnaryOperator_Extension => UnaryOperator::Extension,
            _ => UnaryOperator::Other,
        }
    }

    /// The operator of a binary operator, or of an assignment that computes.
    pub fn binary_operator(self) -> BinaryOperator {
        #[allow(non_upper_case_globals)]
        match unsafe { clang_getCursorBinaryOperatorKind(self.raw) } {
            CXBinaryOperator_Add | CXBinaryOperator_AddAssign => BinaryOperator::Add,
            CXBinaryOperator_And | CXBinaryOperator_AndAssign => BinaryOperator::And,
            CXBinaryOperator_Assign => BinaryOperator::Assign,
            CXBinaryOperator_Comma => BinaryOperator::Comma,
            CXBinaryOperator_EQ => BinaryOperator::Equal,
            CXBinaryOperator_GT => BinaryOperator::Greater,
            CXBinaryOperator_GE => BinaryOperator::GreaterOrEqual,
            CXBinaryOperator_LT => BinaryOperator::Less,
            CXBinaryOperator_LE => BinaryOperator::LessOrEqual,
            CXBinaryOperator_LAnd => BinaryOperator::LogicalAnd,
            CXBinaryOperator_LOr => BinaryOperator::LogicalOr,
            CXBinaryOperator_NE => BinaryOperator::NotEqual,
            CXBinaryOperator_Or | CXBinaryOperator_OrAssign => BinaryOperator::Or,
            CXBinaryOperator_Sub | CXBinaryOperator_SubAssign => BinaryOperator::Subtract,
            CXBinaryOperator_Xor | CXBinaryOperator_XorAssign => BinaryOperator::Xor,
            _ => BinaryOperator::Other,
        }
    }

    /// The value of a constant integer expression, if clang can compute it.
    pub fn evaluate_integer(self) -> Option<i64> {
        // SAFETY: the result is checked for null and disposed of exactly once.
        unsafe {
            let result = clang_Cursor_Evaluate(self.raw);
            if result.is_null() {
                return None;
            }
            let value =
                (clang_EvalResult_getKind(result) == CXEval_Int).then(|| clang_EvalResult_getAsLongLong(result));
            clang_EvalResult_dispose(result);
            value
        }
    }

    /// The value of an enumerator.
    pub fn enumerator_value(self) -> i64 {
        unsafe { clang_getEnumConstantDeclValue(self.raw) }
    }

    /// The type of an expression or declaration.
    pub fn ty(self) -> Type<'tu> {
        Type::new(unsafe { clang_getCursorType(self.raw) })
    }

    /// The type that a typedef names.
    pub fn underlying(self) -> Type<'tu> {
        Type::new(unsafe { clang_getTypedefDeclUnderlyingType(self.raw) })
    }

    /// Where the cursor is, macros seen as one location: the location of the outermost expansion.
    pub fn location(self) -> Option<Location<'tu>> {
        let location = unsafe { clang_getCursorLocation(self.raw) };
        locate_by(location, expansion)
    }

    /// Where the cursor's own text is written: inside the macro's definition when it comes from
    /// one.
    pub fn spelling_location(self) -> Option<Location<'tu>> {
        let location = unsafe { clang_getCursorLocation(self.raw) };
        locate_by(location, spelling)
    }

    /// The start of the cursor's text, macros seen as one location.
    pub fn start(self) -> Option<Location<'tu>> {
        let start = unsafe { clang_getRangeStart(clang_getCursorExtent(self.raw)) };
        locate_by(start, expansion)
    }

    /// Where the first character of the cursor's own text is written.
    pub fn spelling_start(self) -> Option<Location<'tu>> {
        let start = unsafe { clang_getRangeStart(clang_getCursorExtent(self.raw)) };
        locate_by(start, spelling)
    }

    /// Where the first character of the cursor's text comes from, if it comes from a macro.
    pub fn start_in_macro(self) -> Option<MacroLocation<'tu>> {
        macro_location(unsafe { clang_getRangeStart(clang_getCursorExtent(self.raw)) })
    }

    /// Where the cursor's own text comes from, if it comes from a macro: for a reference to a member, the member's name.
    pub fn own_in_macro(self) -> Option<MacroLocation<'tu>> {
        macro_location(unsafe { clang_getCursorLocation(self.raw) })
    }

    /// The location behind its last token, as [`Cursor::location`]; for a token from a macro, where the macro is used.
    pub fn end(self) -> Option<Location<'tu>> {
        let end = unsafe { clang_getRangeEnd(clang_getCursorExtent(self.raw)) };
        locate_by(end, expansion)
    }

    /// Whether the field is a bit-field.
    pub fn is_bit_field(self) -> bool {
        unsafe { clang_Cursor_isBitField(self.raw) != 0 }
    }

    /// The declaration as clang prints it, without a body and without initialisers. Spelling and spacing differ between
    /// versions, and it may hold addresses: look for one thing in it, and keep nothing else.
    pub fn printed(self) -> String {
        self.printed_by(true)
    }

    /// The same with the body, in which macros are expanded.
    pub fn printed_with_body(self) -> String {
        self.printed_by(false)
    }

    fn printed_by(self, is_terse: bool) -> String {
        // SAFETY: the policy is disposed of exactly once, after its only use.
        unsafe {
            let policy = clang_getCursorPrintingPolicy(self.raw);
            clang_PrintingPolicy_setProperty(policy, CXPrintingPolicy_TerseOutput, is_terse.into());
            clang_PrintingPolicy_setProperty(policy, CXPrintingPolicy_SuppressInitializers, is_terse.into());
            let printed = text(clang_getCursorPrettyPrinted(self.raw, policy));
            clang_PrintingPolicy_dispose(policy);
            printed
        }
    }

    /// Walks the cursors below this one in source order: `visitor(cursor, parent)`.
    ///
    /// A panic of the visitor stops the walk and goes on from here, since it must not cross
    /// libclang's frames.
    pub fn visit(self, mut visitor: impl FnMut(Cursor<'tu>, Cursor<'tu>) -> Visit) {
        type Panic = Box<dyn Any + Send>;
        struct State<'a, 'tu> {
            visitor: &'a mut dyn FnMut(Cursor<'tu>, Cursor<'tu>) -> Visit,
            panic: Option<Panic>,
        }

        extern "C" fn step(cursor: CXCursor, parent: CXCursor, data: CXClientData) -> CXChildVisitResult {
            // SAFETY: `data` is the `State` that `visit` passes below and outlives the call.
            let state = unsafe { &mut *(data as *mut State<'_, '_>) };
            // Macros and inclusions, which only some units have, are no code.
            if (CXCursor_PreprocessingDirective..=CXCursor_InclusionDirective).contains(&cursor.kind) {
                return CXChildVisit_Continue;
            }
            let (Some(cursor), Some(parent)) = (Cursor::new(cursor), Cursor::new(parent)) else {
                return CXChildVisit_Continue;
            };
            match catch_unwind(AssertUnwindSafe(|| (state.visitor)(cursor, parent))) {
                Ok(Visit::Skip) => CXChildVisit_Continue,
                Ok(Visit::Recurse) => CXChildVisit_Recurse,
                Err(panic) => {
                    state.panic = Some(panic);
                    CXChildVisit_Break
                }
            }
        }

        let mut state = State { visitor: &mut visitor, panic: None };
        unsafe { clang_visitChildren(self.raw, step, (&raw mut state).cast()) };
        if let Some(panic) = state.panic {
            resume_unwind(panic);
        }
    }

    /// The cursors directly below this one.
    pub fn children(self) -> Vec<Cursor<'tu>> {
        let mut children = Vec::new();
        self.visit(|child, _| {
            children.push(child);
            Visit::Skip
        });
        children
    }
}

/// A type of a translation unit (`CXType`).
#[derive(Clone, Copy, Debug)]
pub struct Type<'tu> {
    raw: CXType,
    unit: PhantomData<&'tu ()>,
}

/// The kinds of type that somebody asks for, seen through typedefs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TypeKind {
    Array,
    /// `_Atomic(T)`
    Atomic,
    /// An array whose size is computed when it runs.
    VariableArray,
    Void,
    Bool,
    Function,
    /// Any integer or enumeration but `bool`.
    Integer,
    Pointer,
    Record,
    Other,
}

impl<'tu> Type<'tu> {
    fn new(raw: CXType) -> Self {
        Type { raw, unit: PhantomData }
    }

    /// The type without typedefs.
    pub fn canonical(self) -> Type<'tu> {
        Type::new(unsafe { clang_getCanonicalType(self.raw) })
    }

    /// What the type is, seen through typedefs.
    pub fn kind(self) -> TypeKind {
        #[allow(non_upper_case_globals)]
        match self.canonical().raw.kind {
            CXType_ConstantArray | CXType_IncompleteArray => TypeKind::Array,
            CXType_VariableArray => TypeKind::VariableArray,
            CXType_Void => TypeKind::Void,
            CXType_Bool => TypeKind::Bool,
            CXType_FunctionProto | CXType_FunctionNoProto => TypeKind::Function,
            CXType_Enum => TypeKind::Integer,
            CXType_Char_U..=CXType_Int128 => TypeKind::Integer,
            CXType_Pointer | CXType_BlockPointer => TypeKind::Pointer,
            CXType_Atomic => TypeKind::Atomic,
            CXType_Record => TypeKind::Record,
            _ => TypeKind::Other,
        }
    }

    /// A number that tells this type, as it is written, from every other type of the unit.
    pub fn key(self) -> (usize, i32) {
        (self.raw.data[0] as usize, self.raw.kind)
    }

    /// Whether this is the same type as another, seen through typedefs and without qualifiers.
    pub fn is_same(self, other: Type<'_>) -> bool {
        // SAFETY: both are types of the unit, which lives.
        let plain = |ty: Type<'_>| unsafe { clang_getUnqualifiedType(clang_getCanonicalType(ty.raw)) };
        unsafe { clang_equalTypes(plain(self), plain(Type { raw: other.raw, unit: PhantomData })) != 0 }
    }

    /// Whether the type is written as `__typeof__(expression)` or `__auto_type`: libclang has no kind for the first.
    pub fn is_deduced(self) -> bool {
        [CXType_Unexposed, CXType_Auto].contains(&self.raw.kind)
    }

    /// The number of elements of an array; `None` if the type does not say.
    pub fn element_count(self) -> Option<u64> {
        u64::try_from(unsafe { clang_getArraySize(self.canonical().raw) }).ok()
    }

    /// What an atomic type makes atomic (`clang_Type_getValueType`).
    pub fn atomic_value(self) -> Type<'tu> {
        let written = if self.raw.kind == CXType_Atomic { self } else { self.canonical() };
        Type::new(unsafe { clang_Type_getValueType(written.raw) })
    }

    /// The type of a function's parameter.
    pub fn parameter(self, position: u16) -> Type<'tu> {
        Type::new(unsafe { clang_getArgType(self.raw, u32::from(position)) })
    }

    /// What a function gives back.
    pub fn result(self) -> Type<'tu> {
        Type::new(unsafe { clang_getResultType(self.raw) })
    }

    /// What a pointer points to.
    pub fn pointee(self) -> Type<'tu> {
        Type::new(unsafe { clang_getPointeeType(self.raw) })
    }

    /// The type of an array's elements.
    pub fn element(self) -> Type<'tu> {
        Type::new(unsafe { clang_getArrayElementType(self.raw) })
    }

    /// The declaration of a typedef or record. Elaborated and plain types both answer, so this sees
    /// through the difference between libclang versions.
    pub fn declaration(self) -> Option<Cursor<'tu>> {
        Cursor::new(unsafe { clang_getTypeDeclaration(self.raw) })
    }

    /// The typedef that the type is written as, if it is. Some versions put an elaborated type
    /// around it.
    #[allow(non_upper_case_globals)]
    pub fn typedef(self) -> Option<Cursor<'tu>> {
        let may_be = matches!(self.raw.kind, CXType_Typedef | CXType_Elaborated);
        self.declaration().filter(|found| may_be && found.kind() == CursorKind::TypedefDecl)
    }

    /// Width in bits and signedness of an integer or enumeration type of at most 64 bits; `bool` has one bit.
    pub fn integer(self) -> Option<(u8, bool)> {
        #[allow(non_upper_case_globals)]
        match self.canonical().raw.kind {
            CXType_Bool => return Some((1, false)),
            CXType_Enum => {
                let declaration = self.canonical().declaration()?;
                return Type::new(unsafe { clang_getEnumDeclIntegerType(declaration.raw) }).integer();
            }
            CXType_Char_U..=CXType_Int128 => {}
            _ => return None,
        }
        #[allow(non_upper_case_globals)]
        let signed = matches!(
            self.canonical().raw.kind,
            CXType_Char_S
                | CXType_SChar
                | CXType_WChar
                | CXType_Short
                | CXType_Int
                | CXType_Long
                | CXType_LongLong
                | CXType_Int128
        );
        let bytes = unsafe { clang_Type_getSizeOf(self.raw) };
        let bits = u8::try_from(bytes).ok()?.checked_mul(8)?;
        (1..=64).contains(&bits).then_some((bits, signed))
    }

    /// Whether the type is written with `const`.
    pub fn is_const(self) -> bool {
        unsafe { clang_isConstQualifiedType(self.raw) != 0 }
    }

    /// The types of a function's parameters.
    pub fn parameters(self) -> Vec<Type<'tu>> {
        let count = unsafe { clang_getNumArgTypes(self.raw) };
        (0..u32::try_from(count).unwrap_or(0)).map(|at| Type::new(unsafe { clang_getArgType(self.raw, at) })).collect()
    }

    /// Whether the type is written with `volatile`.
    pub fn is_volatile(self) -> bool {
        unsafe { clang_isVolatileQualifiedType(self.raw) != 0 }
    }

    /// The type as clang spells it.
    pub fn spelling(self) -> String {
        text(unsafe { clang_getTypeSpelling(self.raw) })
    }

    /// The fields of a record in their order; empty for anything else (`clang_Type_visitFields`).
    pub fn fields(self) -> Vec<Cursor<'tu>> {
        extern "C" fn step(field: CXCursor, data: CXClientData) -> CXVisitorResult {
            // SAFETY: `data` is the vector that `fields` passes below and outlives the call.
            let fields = unsafe { &mut *(data as *mut Vec<CXCursor>) };
            fields.push(field);
            CXVisit_Continue
        }
        let mut raw: Vec<CXCursor> = Vec::new();
        unsafe { clang_Type_visitFields(self.canonical().raw, step, (&raw mut raw).cast()) };
        raw.into_iter().filter_map(Cursor::new).collect()
    }
}

/// Takes the text out of a `CXString` and frees it. Bytes that are not UTF-8 become replacement
/// characters.
pub(super) fn text(string: CXString) -> String {
    // SAFETY: `clang_getCString` gives null or a C string that lives until the string is disposed
    // of.
    unsafe {
        let characters = clang_getCString(string);
        let text = if characters.is_null() {
            String::new()
        } else {
            CStr::from_ptr(characters).to_string_lossy().into_owned()
        };
        clang_disposeString(string);
        text
    }
}

type Locate = unsafe fn(CXSourceLocation, *mut CXFile, *mut u32, *mut u32, *mut u32);

// clang-sys declares these as plain functions of its own, which need a common type to be passed.
unsafe fn expansion(l: CXSourceLocation, f: *mut CXFile, n: *mut u32, c: *mut u32, o: *mut u32) {
    unsafe { clang_getExpansionLocation(l, f, n, c, o) }
}
unsafe fn spelling(l: CXSourceLocation, f: *mut CXFile, n: *mut u32, c: *mut u32, o: *mut u32) {
    unsafe { clang_getSpellingLocation(l, f, n, c, o) }
}

unsafe fn in_file(l: CXSourceLocation, f: *mut CXFile, n: *mut u32, c: *mut u32, o: *mut u32) {
    unsafe { clang_getFileLocation(l, f, n, c, o) }
}

fn macro_location<'tu>(location: CXSourceLocation) -> Option<MacroLocation<'tu>> {
    let used = position_by(location, expansion)?;
    let spelled = position_by(location, spelling);
    let is_plain = spelled == Some(used);
    if is_plain { None } else { Some(MacroLocation { used, written: position_by(location, in_file)?, spelled }) }
}

/// A location as file, line and column; `None` when it is in no file.
pub(super) fn expansion_location<'tu>(location: CXSourceLocation) -> Option<Location<'tu>> {
    locate_by(location, expansion)
}

fn position_by<'tu>(location: CXSourceLocation, locate: Locate) -> Option<Position<'tu>> {
    let (mut file, mut offset) = (std::ptr::null_mut(), 0);
    // SAFETY: the pointers are to live locals, or null for what is not wanted.
    unsafe { locate(location, &mut file, std::ptr::null_mut(), std::ptr::null_mut(), &mut offset) };
    Some(Position { file: File::new(file)?, offset })
}

fn locate_by<'tu>(location: CXSourceLocation, locate: Locate) -> Option<Location<'tu>> {
    let (mut file, mut line, mut column, mut offset) = (std::ptr::null_mut(), 0, 0, 0);
    // SAFETY: all four pointers are to live locals.
    unsafe { locate(location, &mut file, &mut line, &mut column, &mut offset) };
    Some(Location { file: File::new(file)?, line, column, offset })
}
